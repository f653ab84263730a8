"""Studies: YAML files, each a ready-to-run campaign. Shipped as qdcomp.workflows."""
