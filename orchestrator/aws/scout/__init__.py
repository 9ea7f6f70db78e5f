"""What only preflight reads: room, images, secrets, permissions, traffic. One file a service; it never writes.

A rollout can be carried out without any of it, so every part may be unread.
"""
