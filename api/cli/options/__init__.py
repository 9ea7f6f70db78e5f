"""Options that commands share, their examples, and completion in a shell."""
