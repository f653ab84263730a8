"""How panels are drawn: one look, for print and for the page."""
