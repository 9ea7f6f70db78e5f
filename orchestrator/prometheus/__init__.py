"""Metrics from Prometheus by its HTTP API; implements ``ports.metric_source.MetricSource``."""
