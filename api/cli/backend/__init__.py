"""What a command talks to: a server, or the store on this machine, behind one protocol."""
