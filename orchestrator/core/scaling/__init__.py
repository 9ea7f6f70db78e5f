"""Auto scaling and task counts of both colours."""
