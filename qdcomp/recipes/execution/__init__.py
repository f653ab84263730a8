"""One job in its directory: run, watched, ended before the walltime, recorded."""
