"""Tests of the store: JSON of rows, the SQLite file, migrations."""
