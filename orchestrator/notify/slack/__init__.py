"""The Slack receiver: one message a rollout, its thread and its buttons."""
