"""The report on ligands and surfaces."""
