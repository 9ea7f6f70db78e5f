"""YAML with its lines, and how people write durations, shares and sizes."""
