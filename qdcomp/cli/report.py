"""``qdcomp report``: the page and the figures of a run."""

from __future__ import annotations

from qdcomp.cli.console import notes, output, print_warnings
from qdcomp.cli.run import LaunchpadOption, RunArgument


def report(run: RunArgument, launchpad: LaunchpadOption = None) -> None:
    """Write the report of a finished run again: one HTML file, PNG and SVG of each figure.

    For example:
      qdcomp report runs/demo
    """
    from qdcomp.recipes.campaign import find_launchpad, read_job_states
    from qdcomp.recipes.launchpads import open_launchpad
    from qdcomp.recipes.run_directory import open_run
    from qdcomp.report.run_report import report_run

    opened = open_run(run)
    with open_launchpad(find_launchpad(opened, launchpad), read_only=True) as pad:
        states = read_job_states(opened, pad)
    with notes.status("writing the report"):
        made = report_run(opened, states)
    print_warnings(made.warnings)
    for line in made.headline:
        output.print(line)
    output.print(f"report: {made.path}")
