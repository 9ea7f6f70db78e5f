"""Metrics from Prometheus by its HTTP API; implements ``ports.MetricSource``."""
