"""Make every figure of these pages: a short run of the surrogate engine, and a simulated dot.

Nothing here is a result of DFT or of a measurement, and each figure says so. Seeds are fixed, so
that the same version of qdcomp draws the same figures. Called by ``make docs``:

    python docs/make_figures.py [FOLDER]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from qdcomp.experiment import (
    SimulatedDot,
    SimulatedExperiment,
    SpectrumSettings,
    analyse_photons,
    analyse_spectra,
    simulate_photons,
    simulate_spectral_series,
    simulate_spectrum,
)
from qdcomp.experiment.simulation.emission_states import EmissionState
from qdcomp.experiment.simulation.simulated_experiment import PulsedExcitation, TimingResponse
from qdcomp.experiment.simulation.simulated_spectrum import SimulatedLine, SpectralWandering
from qdcomp.experiment.simulation.switching import ExponentialDwell, Switching
from qdcomp.experiment.spectra.spectrum import make_spectral_series
from qdcomp.report.drawing.panel import Panel
from qdcomp.report.drawing.static_drawing import save_panel
from qdcomp.report.measurements.blinking_panels import draw_trace
from qdcomp.report.measurements.decay_panels import draw_decay, draw_flid
from qdcomp.report.measurements.g2_panels import draw_pulsed_g2
from qdcomp.report.measurements.spectrum_panels import draw_line, draw_peak_track
from qdcomp.resources import find_study

FOLDER = Path(__file__).resolve().parent / "figures"
"""Where the pages look for them; not in version control."""

RUN_FIGURES = ("structure", "spectral_density", "linewidth_temperature", "emission_lineshape")
"""Figures of the report of a run that the pages show."""

PHOTON_FIGURES = ("blinking_trace", "pulsed_g2", "decay", "flid")
"""Figures of a report on photons that the pages show."""

SPECTRUM_FIGURES = ("emission_line", "peak_energy")
"""Figures of a report on spectra that the pages show."""

FIGURES = tuple(f"{name}.png" for name in (*RUN_FIGURES, *PHOTON_FIGURES, *SPECTRUM_FIGURES))
"""All files that this makes."""

SIMULATED = "Simulated, not measured"
"""Note on every figure of the simulated dot."""

SHORTER = {
    "name: demo": "name: docs",
    "duration: 3 ps": "duration: 1 ps",
    "duration: 10 ps": "duration: 6 ps",
    "segments: 4": "segments: 1",
    "normal_modes: true": "normal_modes: false",
}
"""What makes the demo a matter of seconds: a shorter trajectory, and no normal modes."""

WAVELENGTHS_NM = np.linspace(470.0, 560.0, 512)
"""Pixels of the simulated spectrograph."""

LINE = SimulatedLine(
    peak_ev=2.42,
    photons_per_s=1e4,
    gaussian_sd_ev=(0.028, 0.024),
    lorentzian_hwhm_ev=(0.015, 0.012),
)
"""A line as of a small CsPbBr3 dot at room temperature, wider on its low-energy side."""


def write_demo_study(path: Path) -> None:
    """Write the shipped study ``demo`` with a shorter trajectory."""
    text = find_study("demo").read_text(encoding="utf-8")
    for long, short in SHORTER.items():
        if text.count(long) != 1:
            raise ValueError(f"the study demo has {long!r} {text.count(long)} times, not once")
        text = text.replace(long, short)
    path.write_text(text, encoding="utf-8")


def make_run_figures(folder: Path) -> None:
    """Run the shortened demo as a user does, and take figures of its report."""
    with tempfile.TemporaryDirectory() as scratch:
        study, out = Path(scratch, "docs.yaml"), Path(scratch, "run")
        write_demo_study(study)
        subprocess.run(
            [sys.executable, "-m", "qdcomp", "run", str(study), "--out", str(out)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for name in RUN_FIGURES:
            drawn = out / "report" / "figures" / f"{name}.png"
            (folder / drawn.name).write_bytes(drawn.read_bytes())


def make_photon_figures(folder: Path) -> None:
    """Analyse 20 s of a simulated dot that blinks between a bright and a grey state."""
    dot = SimulatedDot(
        (
            EmissionState("bright", lifetime_ns=6.0, quantum_yield=1.0, biexciton_yield=0.06),
            EmissionState("grey", lifetime_ns=2.0, quantum_yield=1 / 3, is_on=False),
        ),
        Switching((ExponentialDwell(0.8), ExponentialDwell(0.4))),
    )
    experiment = SimulatedExperiment(
        PulsedExcitation(2.5e6, excitons_per_pulse=0.2),
        efficiency=0.06,
        background_per_s=50.0,
        response=TimingResponse(sigma_ns=0.1),
    )
    found = analyse_photons(simulate_photons(dot, experiment, duration_s=20.0, seed=1))
    if found.decay is None or found.decay.flid is None or found.g2 is None:
        raise ValueError(f"the simulated dot lacks an observable: {'; '.join(found.absent)}")
    panels = (
        draw_trace(found.blinking),
        draw_pulsed_g2(found.g2),
        draw_decay(found.decay.decay, found.decay.lifetime),
        draw_flid(found.decay.flid, found.decay),
    )
    save_figures(panels, folder, PHOTON_FIGURES)


def make_spectrum_figures(folder: Path) -> None:
    """Fit a simulated line, and follow one that wanders and jumps."""
    settings = SpectrumSettings(window_nm=(480.0, 550.0))
    one = simulate_spectrum(LINE, WAVELENGTHS_NM, exposure_s=10.0, seed=1)
    series = simulate_spectral_series(
        LINE,
        WAVELENGTHS_NM,
        exposure_s=1.0,
        frames=120,
        seed=2,
        wandering=SpectralWandering(
            diffusion_sd_ev=0.002, diffusion_time_s=3.0, jumps_per_s=0.02, jump_sd_ev=0.012
        ),
    )
    panels = (
        draw_line(analyse_spectra(make_spectral_series((one.spectrum,), [0.0]), settings)),
        draw_peak_track(analyse_spectra(series.series, settings)),
    )
    save_figures(panels, folder, SPECTRUM_FIGURES)


def save_figures(panels: Iterable[Panel], folder: Path, names: Iterable[str]) -> None:
    """Write panels that were simulated as PNG, under the names that are expected."""
    with tempfile.TemporaryDirectory() as scratch:
        for panel, name in zip(panels, names, strict=True):
            if panel.name != name:
                raise ValueError(f"expected the figure {name}, and {panel.name} was drawn")
            png, *_ = save_panel(panel.with_notes((SIMULATED,)), Path(scratch))
            (folder / png.name).write_bytes(png.read_bytes())


def main() -> None:
    """Make all figures in the folder that is named, or where the pages look for them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    make_spectrum_figures(folder)
    make_photon_figures(folder)
    make_run_figures(folder)


if __name__ == "__main__":
    main()
