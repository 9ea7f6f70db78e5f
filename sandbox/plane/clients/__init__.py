"""Load: clients that send steady traffic and count what became of every request."""
