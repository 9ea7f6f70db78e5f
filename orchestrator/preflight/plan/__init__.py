"""What the rollout will do, how long it takes, and within which hours."""
