"""Requests to addresses that people named: sent only where the settings let them go, whatever DNS or a redirect says.

``targets`` reads a URL strictly, ``addresses`` judges what a host resolved to, ``send`` connects to nothing else.
"""
