"""Campaigns: sweeps of many studies, jobs that are not run twice, and control over parts of them.

A sweep is one study file whose section ``sweep`` names values of some settings; its members are
ordinary runs in one folder, on one launchpad. Modules import each other directly: the stages of a
job need the index of jobs, and the rest here needs the stages.
"""
