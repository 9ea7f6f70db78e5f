"""EventBridge and SQS: what happened, sent to whoever asked for it."""
