"""Application Auto Scaling: targets, policies, scheduled actions, and what they measure."""
