"""What the gates will judge by: alarms and metrics."""
