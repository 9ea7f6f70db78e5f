"""One file a gate: its settings, what it needs to see, how it judges, and its `Gate`, which `registry` lists."""
