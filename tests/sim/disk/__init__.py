"""The store under simulation: SQL on SQLite or memory, on a disk that fails in every way that a disk has."""
