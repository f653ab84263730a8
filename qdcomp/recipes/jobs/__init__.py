"""One job: as it is planned, run in its directory, watched, ended before the walltime, recorded."""
