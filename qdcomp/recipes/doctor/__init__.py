"""What is wrong with runs that were killed, failed or lost files, and mending it.

Nothing that was computed is lost by mending: jobs are made ready again, and damaged files are moved
aside. What was done is written down in the folder of each run.
"""
