"""The sequential test, and what a comparison has gathered."""
