"""Elastic Container Service: task definitions, services, deployments and tasks."""
