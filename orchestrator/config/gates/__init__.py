"""The gates of a rollout file, one file a gate, for those whose file says more than their spec."""
