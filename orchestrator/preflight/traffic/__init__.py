"""The rules that carry traffic, and the ways to green before any user."""
