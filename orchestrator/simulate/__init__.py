"""Rollouts in simulated traffic, by the real decision core: what a plan is worth, before a release.

It touches nothing outside: traffic, metrics and their delays are drawn from a seed, and the rest is `core.decide`.
"""
