"""Runs the core: load, observe, decide, commit, perform. Knows the ports and no adapter."""
