"""What a study becomes: its jobs, and what they cost by estimate and by measurement."""
