"""Following a rollout: its events as lines, or live in a terminal, through a server that comes and goes."""
