"""What a study becomes: each recipe and its jobs, checked before any starts."""
