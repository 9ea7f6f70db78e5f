"""Values that preflight alone reads."""
