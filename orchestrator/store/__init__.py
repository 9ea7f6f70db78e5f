"""Where rollouts are kept: an SQL store for real use and one in memory for tests and simulations.

Both fulfil ``ports.store.Store`` and are held to it by one contract suite. Nothing here knows AWS or judges;
``opening.open_store`` is the way in.
"""
