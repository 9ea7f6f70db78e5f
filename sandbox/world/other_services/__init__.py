"""AWS services at the edge: EC2, ECR, IAM, STS, quotas, secrets."""
