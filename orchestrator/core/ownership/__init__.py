"""What one rollout holds for itself, what it may write, and what it left behind."""
