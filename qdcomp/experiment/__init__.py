"""Measured observables: photon streams and spectra of single dots."""

from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import (
    Markers,
    PhotonSource,
    PhotonStream,
    StreamHeader,
    compute_arrival_times,
    make_photon_stream,
    select_channels,
)

__all__ = [
    "Estimate",
    "Markers",
    "PhotonSource",
    "PhotonStream",
    "StreamHeader",
    "compute_arrival_times",
    "make_photon_stream",
    "select_channels",
]
