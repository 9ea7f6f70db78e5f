"""CloudWatch: the metrics of load balancers, and alarms on them."""
