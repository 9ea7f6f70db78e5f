"""Teal's doors: each parses, authorises, calls one command or view of the engine, and renders the answer."""
