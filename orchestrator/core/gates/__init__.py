"""One file a gate: its spec, what it needs to see, how it judges. The registry is ``REGISTRY`` in ``judge``."""
