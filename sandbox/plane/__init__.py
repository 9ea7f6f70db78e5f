"""The sandbox's data plane: real processes, sockets, health checks and load.

It knows the World by ``sandbox.ports`` alone, and moves every byte the World decides about.
"""
