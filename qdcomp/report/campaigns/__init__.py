"""The page of a campaign: many runs, and what they give together."""
