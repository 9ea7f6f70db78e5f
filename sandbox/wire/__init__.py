"""The World as AWS clients meet it: HTTP, driven by botocore's own service models."""
