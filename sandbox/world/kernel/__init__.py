"""What everything in a World shares: time, chance, names, errors, operations, the log of calls."""
