"""``make bench``: what Teal costs and how fast it is, as ``name: value`` lines.

Figures of rollouts are in virtual time, on a World with AWS's latencies, limits and traps: they are the same on every
machine. The others are this machine's, each with the baseline beside it that was measured in the same run.
"""
