"""One tick: what it must see, what it saw, and its decision in the making."""
