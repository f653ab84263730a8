"""A campaign on a real server and a real Slurm whose processes are killed at random times.

Run as ``python -m benchmarks.chaos`` or ``make chaos``. At the end every job has to be complete,
every frame there once, nothing run twice, and the database has to agree with the disk.
"""
