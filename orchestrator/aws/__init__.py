"""The adapters that fulfil ``ports.cloud.Cloud`` on AWS: one set for the real AWS, the sandbox and simulations."""
