"""The gates as they are asked in a tick, and what their answers do: approvals, windows, webhooks, intervention."""
