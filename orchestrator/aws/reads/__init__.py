"""What a tick looks at: one read of everything it needs, shared with the other rollouts."""
