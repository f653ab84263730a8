"""``qdcomp photons``: blinking, lifetimes and g2 of single dots from their photon streams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from qdcomp.cli.console import notes, output, print_table, print_warnings
from qdcomp.errors import QdcompError

if TYPE_CHECKING:
    from qdcomp.experiment.photon_analysis import PhotonAnalysis, PhotonSettings


def _read_channels(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r}; expected numbers of channels, like 0,1") from None


def _read_g2_choice(text: str) -> Literal["all", "on", "grey"] | tuple[float, float]:
    if text in ("all", "on", "grey"):
        return cast("Literal['all', 'on', 'grey']", text)
    low, dash, high = text.partition("-")
    try:
        window = float(low), float(high or "inf")
    except ValueError:
        dash = ""
    if not dash:
        raise typer.BadParameter(
            f"{text!r}; expected all, on, grey or counts per time bin, like 20-50 or 20-"
        )
    return window


def _check_positive(value: float | None) -> float | None:
    if value is not None and not 0.0 < value < float("inf"):
        raise typer.BadParameter(f"{value:g}; expected a positive number")
    return value


def photons(
    files: Annotated[
        list[Path],
        typer.Argument(help="PicoQuant .ptu, .ht3, .pt3, .t3r, Photon-HDF5, .npy, .npz or CSV."),
    ],
    time_bin: Annotated[
        float, typer.Option("--bin", callback=_check_positive, help="Time bin in ms.")
    ] = 10.0,
    threshold: Annotated[
        float, typer.Option(help="ON threshold as a share of the bright level.")
    ] = 0.5,
    channels: Annotated[
        str | None, typer.Option(help="Detector channels, like 0,1 (default: all).")
    ] = None,
    model: Annotated[str, typer.Option(help="Decay: auto, mono, bi, stretched.")] = "auto",
    response: Annotated[
        float | None,
        typer.Option(
            callback=_check_positive,
            help="Standard deviation of a Gaussian instrument response in ns "
            "(default: the fit starts after the rise).",
        ),
    ] = None,
    g2_of: Annotated[
        str,
        typer.Option(
            "--g2-of",
            help="Photons whose g2 is computed: all, on, grey, or those of time bins of so many "
            "counts, like 20-50.",
        ),
    ] = "all",
    table: Annotated[
        bool, typer.Option("--table", help="One line a dot; also for several files.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report (default: FILE-photons).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
) -> None:
    """Analyse the photons of a single dot and write the report.

    Blinking trace, ON fraction, Mandel Q, ON and OFF durations, change points, g2 at short and long
    delays, lifetimes by intensity, FLID: each with its error. Several files come out in one table.

    For example:
      qdcomp photons dot.ptu
      qdcomp photons *.ptu --table
    """
    from qdcomp.experiment.photon_analysis import PhotonSettings

    settings = PhotonSettings(
        bin_s=1e-3 * time_bin,
        on_share=threshold,
        channels=_read_channels(channels),
        lifetime_model=cast("Literal['auto']", model),
        response_sigma_ns=response,
        g2_of=_read_g2_choice(g2_of),
    )
    if len(files) == 1 and not table:
        _report_one(files[0], settings, out, as_json=json)
    else:
        _tabulate_many(files, settings, as_json=json)


def _analyse(path: Path, settings: PhotonSettings) -> PhotonAnalysis:
    from qdcomp.experiment.files.photon_files import open_photons
    from qdcomp.experiment.photon_analysis import analyse_photons

    with notes.status(f"reading {path.name}") as status:
        source = open_photons(path)
        return analyse_photons(source, settings, lambda part: status.update(f"{path.name}: {part}"))


def _report_one(path: Path, settings: PhotonSettings, out: Path | None, *, as_json: bool) -> None:
    from qdcomp.report.measurements.measurement_provenance import describe_file
    from qdcomp.report.measurements.photon_report import (
        collect_photon_results,
        summarise_photons,
        write_photon_report,
    )
    from qdcomp.report.pages.strict_json import write_json

    found = _analyse(path, settings)
    if as_json:
        output.print(write_json(collect_photon_results(found)))
        return
    with notes.status("writing the report"):
        target = out or Path(f"{path.stem}-photons")
        page = write_photon_report(found, target, describe_file(path, {}))
    print_warnings(found.warnings)
    for sentence in found.absent:
        notes.print(f"not shown: {sentence}")
    output.print(summarise_photons(found))
    output.print(f"report: {page}")


def _tabulate_many(files: list[Path], settings: PhotonSettings, *, as_json: bool) -> None:
    from qdcomp.report.measurements.photon_report import collect_photon_results
    from qdcomp.report.measurements.photon_summary import tabulate_dots
    from qdcomp.report.pages.strict_json import write_json

    found: dict[str, PhotonAnalysis] = {}
    failed: dict[str, str] = {}
    for path in files:
        try:
            found[str(path)] = _analyse(path, settings)
        except QdcompError as error:
            failed[str(path)] = str(error)
    if as_json:
        results = {name: collect_photon_results(one) for name, one in found.items()}
        output.print(write_json({"dots": results, "failed": failed}))
    elif found:
        print_table(tabulate_dots(found))
    print_warnings([f"left out, {name}: {reason}" for name, reason in failed.items()])
    if not found:
        raise typer.Exit(2)
