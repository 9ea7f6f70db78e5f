"""Who may do what: IAM's evaluation of policies, and what each call of the World asks of it."""
