"""Recipes: studies turned into FireWorks workflows, and the launchpads they run from."""
