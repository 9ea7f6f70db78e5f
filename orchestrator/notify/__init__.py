"""Sends people and programs outside what was committed: one file a kind of receiver, and the deliverer for all."""
