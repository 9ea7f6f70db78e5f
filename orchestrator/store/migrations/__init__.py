"""The changes of the tables, in order. A migration that was released is never changed."""

HEAD = "0006"  # the newest; a test compares
