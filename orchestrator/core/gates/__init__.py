"""One file a gate: its spec, what it needs to see, how it judges. ``evaluation.evaluate`` has the ``REGISTRY``."""
