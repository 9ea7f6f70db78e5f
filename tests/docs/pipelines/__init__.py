"""docs/pipelines.md and the GitHub action do what they say."""
