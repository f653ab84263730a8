"""Input templates of engines and reports. Shipped as qdcomp.templates."""
