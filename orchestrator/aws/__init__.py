"""The adapters that fulfil ``ports.Cloud`` on AWS: one set for the real AWS, the sandbox and simulations."""
