"""The shape of the code itself: who imports whom, and how deep."""
