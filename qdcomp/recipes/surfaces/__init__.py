"""The recipes of ligands and surfaces."""
