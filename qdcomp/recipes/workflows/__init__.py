"""Runs as FireWorks workflows: made, put on a launchpad, launched."""
