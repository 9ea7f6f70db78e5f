"""A server under attack: how long a rollback takes from the request to traffic on blue, beside the quiet figure.

Clients, the operator and the simulated AWS have one core, the server with all its processes another, in the quiet
figure too. Every cell has rollouts of its own that wait for approval with half of the traffic on green.
"""
