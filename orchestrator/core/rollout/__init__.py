"""The row in its parts, its spec, and what follows from both alone: names, tags, the lists of one rule."""
