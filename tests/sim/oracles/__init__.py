"""Who holds each rollout to the promises: they see the World, what people asked for, and the log as text."""
