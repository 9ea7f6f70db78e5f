"""Ready-made scenes: an ordinary service, what scales it, and the demo's two releases."""
