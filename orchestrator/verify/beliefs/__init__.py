"""What Teal believes of AWS and no document proves: one file a belief, and one line in `registry`."""
