"""What AWS pushes: EventBridge's events by a queue, as wake-ups."""
