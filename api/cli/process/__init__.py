"""The process itself: signals, exit codes, and an engine in the foreground."""
