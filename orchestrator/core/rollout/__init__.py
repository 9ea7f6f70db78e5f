"""The row, its spec, what a tick must see and saw, and its decision in the making."""
