"""Clusters: what a user says of one, the scripts of its batch jobs, and handing jobs over.

A profile (`profile`) says which batch system, which resources and which commands; a run is handed
over in rounds (`submission`), each by FireWorks' queue launcher; `checking` tries every piece of a
profile on the login node.
"""
