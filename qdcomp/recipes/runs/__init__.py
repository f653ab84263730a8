"""Runs: their folder, their results, what they cost, and which jobs need not run again."""
