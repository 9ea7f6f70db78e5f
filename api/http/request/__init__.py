"""What every request passes before it reaches a call, and what all calls share."""
