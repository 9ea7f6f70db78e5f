"""Task definitions, stopped and protected tasks, and access to AWS."""
