"""The rollout file: read, checked, turned into core values, and written again."""
