"""The HTTP door under requests that nobody thought of."""
