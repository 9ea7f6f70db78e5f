"""Rolling back without server, store or file."""
