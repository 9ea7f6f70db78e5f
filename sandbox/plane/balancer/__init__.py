"""The data plane's load balancer: connections, rules, weights, health checks."""
