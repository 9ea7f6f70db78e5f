"""The changes of the tables, in order. A migration that was released is never changed."""

HEAD = "0005"  # the newest; a test compares
