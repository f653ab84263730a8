"""Runs: their folder, their jobs on a launchpad, their results."""
