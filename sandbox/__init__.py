"""An AWS on a laptop: one World, a wire skin that real clients speak to, and a data plane with real traffic."""
