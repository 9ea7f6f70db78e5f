"""Listener rules: which are moved, what was seen of them, drift, writes, test rules and sticky sessions."""
