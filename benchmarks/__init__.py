"""Speed beside the peers: the same data, the same run, ratios rather than seconds."""
