"""A report in words: the line of results, the table of runs, and what is not shown."""

from __future__ import annotations

from dataclasses import dataclass

from qdcomp.report.dots.comparison_panels import (
    has_several_temperatures,
    predict_linewidth,
    predict_quantum_linewidth,
)
from qdcomp.report.dots.content import DotRun, PublishedRow, ReportInput
from qdcomp.report.pages.number_text import MISSING, format_measured, format_plain

MEV = 1e3
"""meV per eV."""


@dataclass(frozen=True)
class SummaryTable:
    """Columns of text: a quantity a row, a run a column."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def summarise_run(report: ReportInput, run: DotRun) -> str:
    """Line of results of one run: Γ, Λ and the bands with their errors.

    Parameters
    ----------
    report
        The report the run belongs to; says whether the engine is a surrogate.
    run
        The run.
    """
    analysis = run.analysis
    temperature = analysis.emission_temperature_k
    width = predict_linewidth(analysis, temperature).text
    label = f"{run.label}: " if len(report.runs) > 1 else ""
    suffix = f" [surrogate engine {report.engine_name}]" if report.is_surrogate else ""
    return f"{label}Γ({temperature:g} K) = {width}, {_couplings(run)}{suffix}"


def _couplings(run: DotRun) -> str:
    spectrum = run.analysis.spectrum
    energy = format_measured(
        spectrum.reorganization_energy_ev * MEV,
        spectrum.reorganization_energy_error_ev * MEV,
        "meV",
    )
    bands = ", ".join(
        f"S({band.name}) = {format_measured(band.huang_rhys_factor, band.huang_rhys_factor_error)}"
        for band in spectrum.bands
    )
    return f"Λ = {energy}, {bands}"


def tabulate_runs(report: ReportInput) -> SummaryTable:
    """Put the numbers of all runs side by side; what no run has makes no row."""
    columns = [_list_numbers(run) for run in report.runs]
    names = [name for name, _ in columns[0]] if columns else []
    rows = [(name, *(column[index][1] for column in columns)) for index, name in enumerate(names)]
    return SummaryTable(
        header=("Quantity", *(run.label for run in report.runs)),
        rows=tuple(row for row in rows if set(row[1:]) != {MISSING}),
    )


def _list_numbers(run: DotRun) -> list[tuple[str, str]]:
    analysis, spectrum = run.analysis, run.analysis.spectrum
    dephasing, emission = analysis.dephasing, analysis.emission_temperature_k
    duration = analysis.times_fs[-1] / 1e3
    quantum = predict_quantum_linewidth(analysis, emission).text
    return [
        ("Temperature asked for, and had", f"{analysis.temperature_k:g} K, "
         f"{format_plain(analysis.mean_temperature_k)} K"),
        ("Frames, time step, duration", f"{analysis.n_frames}, {analysis.timestep_fs:g} fs, "
         f"{format_plain(duration)} ps"),
        ("Atoms, free ones", f"{analysis.n_atoms}, {analysis.n_free_atoms}"),
        ("Mean gap", format_measured(analysis.mean_gap_ev, analysis.mean_gap_error_ev, "eV")),
        (f"Linewidth Γ({emission:g} K), classical", predict_linewidth(analysis, emission).text),
        (f"Linewidth Γ({emission:g} K), quantum phonons", quantum),
        (f"FWHM of the emission line at {emission:g} K",
         f"{format_plain(analysis.lineshape.fwhm_ev * MEV)} meV"),
        (f"FWHM of the gap's distribution at {analysis.temperature_k:g} K",
         format_measured(analysis.gap_histogram.fwhm_ev * MEV,
                         analysis.gap_histogram.fwhm_error_ev * MEV, "meV")),
        ("Reorganization energy Λ", format_measured(
            spectrum.reorganization_energy_ev * MEV,
            spectrum.reorganization_energy_error_ev * MEV, "meV")),
        *((f"Huang–Rhys factor S({band.name})",
           format_measured(band.huang_rhys_factor, band.huang_rhys_factor_error))
          for band in spectrum.bands),
        ("Λ outside the bands",
         f"{spectrum.unassigned_reorganization_energy_ev * MEV:.2f} meV"),
        ("Σ S per free atom", format_plain(analysis.huang_rhys_per_free_atom)),
        (f"Pure dephasing time t* at {emission:g} K", format_measured(
            dephasing.dephasing_time_fs, dephasing.dephasing_time_error_fs, "fs")),
        ("Λ by normal modes", _format_mode_energy(run)),
    ]  # fmt: skip


def _format_mode_energy(run: DotRun) -> str:
    """Λ of the route without a trajectory; sampled, with an error, where the gap has a kink."""
    if run.modes is not None:
        return f"{format_plain(run.modes.reorganization_energy_ev * MEV)} meV"
    if run.harmonic is not None:
        return format_measured(
            run.harmonic.reorganization_energy_ev * MEV,
            run.harmonic.reorganization_energy_error_ev * MEV,
            "meV",
        )
    return MISSING


def state_difference(row: PublishedRow) -> str:
    """Difference to the published number, in combined errors where both have one."""
    if row.ours is None:
        return MISSING
    difference = row.ours - row.published
    relative = ""
    if row.published:
        sign = "+" if difference >= 0.0 else "−"
        relative = f"{sign}{abs(difference / row.published):.0%}"
    if not row.our_error:
        return relative or format_plain(difference)
    if row.published_error:
        combined = (row.our_error**2 + row.published_error**2) ** 0.5
        words = f"{format_plain(difference / combined, 2)} combined errors"
    else:
        words = f"{format_plain(difference / row.our_error, 2)} of our errors, none printed"
    return f"{relative} ({words})" if relative else words


def list_absent(report: ReportInput) -> tuple[str, ...]:
    """Say what the report could not show, a sentence each, and why."""
    sentences = []
    if report.structure is None:
        sentences.append("No structure was given, so there is no picture of it.")
    if not report.runs:
        sentences.append("No trajectory has been analysed yet: there is no spectrum or linewidth.")
    else:
        sentences += _list_absent_in_runs(report)
    if not report.published:
        sentences.append("There is no published number to stand beside this calculation.")
    if not report.jobs:
        sentences.append("No list of jobs was given.")
    if not report.provenance:
        sentences.append("No provenance was given.")
    return tuple(sentences)


def _list_absent_in_runs(report: ReportInput) -> list[str]:
    sentences = []
    without = [run.label for run in report.runs if run.modes is None and run.harmonic is None]
    if without:
        sentences.append(
            f"No normal modes for {_join(without)}: coupling is from the trajectory alone."
        )
    silent = [run.label for run in report.runs if not _has_orbitals(run)]
    if silent:
        sentences.append(
            f"The engine wrote no orbital populations for {_join(silent)}: where the frontier "
            "orbitals are is not shown."
        )
    flat = [run.label for run in report.runs if not run.analysis.fluctuations.by_layer]
    if flat:
        sentences.append(f"The layers of {_join(flat)} are not known: motion is by element only.")
    if not has_several_temperatures(report.runs):
        sentences.append(
            "All runs are at one temperature: Γ(T) is the harmonic curve, without points of "
            "runs at other temperatures."
        )
    return sentences


def _has_orbitals(run: DotRun) -> bool:
    orbitals = run.analysis.orbitals
    return orbitals is not None and (orbitals.homo is not None or orbitals.lumo is not None)


def _join(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def collect_warnings(report: ReportInput) -> tuple[str, ...]:
    """All warnings once: of the report, of the structure, of each run and its modes."""
    found = list(report.warnings)
    if report.structure is not None:
        found += report.structure.warnings
    for run in report.runs:
        prefix = f"{run.label}: " if len(report.runs) > 1 else ""
        found += [f"{prefix}{warning}" for warning in run.analysis.warnings]
        if run.modes is not None:
            found += [f"{prefix}{warning}" for warning in run.modes.warnings]
    return tuple(dict.fromkeys(found))
