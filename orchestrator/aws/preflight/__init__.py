"""Reads that preflight and `teal init` alone need, one file a service."""
