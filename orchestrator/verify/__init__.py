"""Proof on a real account: what a user runs there, with Teal's own engine, and what was seen, as facts.

It makes a service of its own (or takes one that is named), rolls it out and back, asks what Teal believes of AWS, takes
everything away again, and writes a report that names nobody. It decides nothing about rollouts: that is the engine's.
"""
