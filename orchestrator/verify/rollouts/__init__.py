"""Real rollouts of the service by Teal's own engine: what was asked of each, and what came of it."""
