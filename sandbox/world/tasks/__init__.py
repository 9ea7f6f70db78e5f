"""Tasks without processes, and how they behave."""
