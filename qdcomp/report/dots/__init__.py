"""The report on the runs of a dot."""
