"""What stands around services and load balancers: addresses, images, secrets, permissions, quotas. Only reads of it."""
