"""The recipe of a dot and what is its own."""
