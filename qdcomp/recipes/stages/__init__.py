"""What each kind of job does on the files of its run, what comes of it and where it comes from."""
