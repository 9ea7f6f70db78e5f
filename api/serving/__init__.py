"""The server as processes: the engine alone in one, the doors in another, and what is slow to read in workers."""
