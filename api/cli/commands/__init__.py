"""One file a command, or a few that share their words; each is imported when it is asked for."""
