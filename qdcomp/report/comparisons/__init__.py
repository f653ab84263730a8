"""The page that puts calculation beside measurement."""
