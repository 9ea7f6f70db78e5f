"""Those who act beside the engine: operators at the doors, and receivers of what is told."""
