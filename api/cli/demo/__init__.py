"""`teal demo`: two rollouts on a simulated AWS with real traffic, as a person follows them."""
