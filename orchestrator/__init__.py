"""Teal's orchestrator: the decision core, the engine that runs it, and the adapters it looks and acts through."""
