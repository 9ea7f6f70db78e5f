"""One file a resource: parse, call one command or view of the engine, render."""
