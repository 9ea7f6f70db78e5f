"""Metric math: the expressions that people write over the metrics of a load balancer."""
