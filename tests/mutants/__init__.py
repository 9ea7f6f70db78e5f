"""Faults that are put into core, engine and store, one at a time, to see that a check catches each."""
