"""One file a phase, and the two ways out."""
