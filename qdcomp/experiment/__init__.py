"""Measured observables: photon streams and spectra of single dots."""

from qdcomp.experiment.blinking.blinking import BlinkingStates, classify_blinking
from qdcomp.experiment.blinking.change_points import ChangePoints, find_change_points
from qdcomp.experiment.blinking.intensity_correlation import compute_intensity_correlation
from qdcomp.experiment.blinking.level_clustering import cluster_levels
from qdcomp.experiment.blinking.mandel import MandelQ, compute_mandel_q
from qdcomp.experiment.blinking.photodarkening import compute_photodarkening
from qdcomp.experiment.blinking.power_law import PowerLawFit, fit_power_law
from qdcomp.experiment.correlations.afterpulsing import estimate_afterpulsing
from qdcomp.experiment.correlations.bunching import fit_bunching
from qdcomp.experiment.correlations.cw_g2 import compute_cw_g2, fit_antibunching
from qdcomp.experiment.correlations.detector_effects import DetectorEffects
from qdcomp.experiment.correlations.gated_g2 import GatedG2, compute_gated_g2
from qdcomp.experiment.correlations.long_delay_g2 import compute_long_delay_g2
from qdcomp.experiment.correlations.measured_time import find_gaps
from qdcomp.experiment.correlations.pulsed_g2 import compute_pulsed_g2
from qdcomp.experiment.decays.blinking_type import BlinkingType, judge_blinking_type
from qdcomp.experiment.decays.decay import Decay, compute_decay
from qdcomp.experiment.decays.flid import Flid, compute_flid
from qdcomp.experiment.decays.intensity_windows import (
    choose_intensity_windows,
    fit_intensity_windows,
)
from qdcomp.experiment.decays.lifetime import LifetimeFit, fit_lifetime
from qdcomp.experiment.decays.lifetime_trace import compute_lifetime_trace
from qdcomp.experiment.decays.radiative_rate import compute_recombination_rates
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.excitation import compute_emitted_rate, compute_excitation
from qdcomp.experiment.files.photon_files import open_photons, read_photons
from qdcomp.experiment.files.photon_hdf5_writer import write_photon_hdf5
from qdcomp.experiment.files.spectrum_files import read_spectra, read_spectrum
from qdcomp.experiment.intensity_trace import BlinkingTrace, compute_blinking_trace
from qdcomp.experiment.photon_analysis import PhotonSettings, analyse_photons
from qdcomp.experiment.photon_stream import (
    Markers,
    PhotonSource,
    PhotonStream,
    StreamHeader,
    compute_arrival_times,
    make_photon_stream,
    select_channels,
)
from qdcomp.experiment.saturation import fit_saturation
from qdcomp.experiment.simulation.simulated_dot import SimulatedDot
from qdcomp.experiment.simulation.simulated_experiment import SimulatedExperiment
from qdcomp.experiment.simulation.simulated_source import SimulatedSource, simulate_photons
from qdcomp.experiment.simulation.simulated_spectrum import (
    simulate_spectral_series,
    simulate_spectrum,
)
from qdcomp.experiment.spectra.emission_fit import (
    EmissionFit,
    compare_emission_models,
    fit_emission_spectrum,
)
from qdcomp.experiment.spectra.linewidth_statistics import compute_linewidth_statistics
from qdcomp.experiment.spectra.peak_track import track_peaks
from qdcomp.experiment.spectra.sizing import estimate_dot_size
from qdcomp.experiment.spectra.spectral_series import (
    compute_spectral_diffusion,
    find_spectral_jumps,
    fit_blue_shift,
)
from qdcomp.experiment.spectra.spectrum import Spectrum, make_spectrum
from qdcomp.experiment.spectra.spectrum_analysis import SpectrumSettings, analyse_spectra

__all__ = [
    "BlinkingStates",
    "BlinkingTrace",
    "BlinkingType",
    "ChangePoints",
    "Decay",
    "DetectorEffects",
    "EmissionFit",
    "Estimate",
    "Flid",
    "GatedG2",
    "LifetimeFit",
    "MandelQ",
    "Markers",
    "PhotonSettings",
    "PhotonSource",
    "PhotonStream",
    "PowerLawFit",
    "SimulatedDot",
    "SimulatedExperiment",
    "SimulatedSource",
    "Spectrum",
    "SpectrumSettings",
    "StreamHeader",
    "analyse_photons",
    "analyse_spectra",
    "choose_intensity_windows",
    "classify_blinking",
    "cluster_levels",
    "compare_emission_models",
    "compute_arrival_times",
    "compute_blinking_trace",
    "compute_cw_g2",
    "compute_decay",
    "compute_emitted_rate",
    "compute_excitation",
    "compute_flid",
    "compute_gated_g2",
    "compute_intensity_correlation",
    "compute_lifetime_trace",
    "compute_linewidth_statistics",
    "compute_long_delay_g2",
    "compute_mandel_q",
    "compute_photodarkening",
    "compute_pulsed_g2",
    "compute_recombination_rates",
    "compute_spectral_diffusion",
    "estimate_afterpulsing",
    "estimate_dot_size",
    "find_change_points",
    "find_gaps",
    "find_spectral_jumps",
    "fit_antibunching",
    "fit_blue_shift",
    "fit_bunching",
    "fit_emission_spectrum",
    "fit_intensity_windows",
    "fit_lifetime",
    "fit_power_law",
    "fit_saturation",
    "judge_blinking_type",
    "make_photon_stream",
    "make_spectrum",
    "open_photons",
    "read_photons",
    "read_spectra",
    "read_spectrum",
    "select_channels",
    "simulate_photons",
    "simulate_spectral_series",
    "simulate_spectrum",
    "track_peaks",
    "write_photon_hdf5",
]
