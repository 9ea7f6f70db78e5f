"""The server's settings file."""
