"""Writing Photon-HDF5 files, version 0.5 (Ingargiola et al., Biophys. J. 110, 26, 2016)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from qdcomp import __version__
from qdcomp.errors import InputError
from qdcomp.experiment.files.stream_checks import choose_microtime_type
from qdcomp.experiment.photon_stream import PhotonSource, StreamHeader

WARNINGS, COUNTS_PULSES = "user/qdcomp/warnings", "user/qdcomp/macrotimes_count_pulses"
"""Where a file keeps what a header says beyond the format."""

_CHUNK = 2**16
_URL = "http://photon-hdf5.org/"

# The format wants every field to carry its official description as TITLE.
_TITLES = {
    "": "A file format for photon-counting detector based single-molecule spectroscopy "
    "experiments.",
    "acquisition_duration": "Measurement duration in seconds.",
    "description": "A user-defined comment describing the data file.",
    "format_name": "Name of the file format.",
    "format_version": "Version for the Photon-HDF5 format.",
    "photon_data": "Group containing arrays of photon-data.",
    "photon_data/timestamps": "Array of photon timestamps. Units specified in timestamps_units "
    "(defined in timestamps_specs/).",
    "photon_data/detectors": "Array of pixel IDs for each timestamp.",
    "photon_data/nanotimes": "TCSPC photon arrival time (nanotimes). Units and other "
    "specifications are in nanotimes_specs group.",
    "photon_data/timestamps_specs": "Specifications for timestamps.",
    "photon_data/timestamps_specs/timestamps_unit": "Value of 1-unit timestamp-increment in "
    "seconds.",
    "photon_data/nanotimes_specs": "Group for nanotime-specific data.",
    "photon_data/nanotimes_specs/tcspc_unit": "Value of 1-unit nanotime-increment in seconds "
    "(TCSPC bin size).",
    "photon_data/nanotimes_specs/tcspc_num_bins": "Number of TCSPC bins.",
    "photon_data/nanotimes_specs/tcspc_range": "TCSPC full-scale range in seconds.",
    "photon_data/measurement_specs": "Metadata necessary for interpretation of the particular "
    "type of measurement.",
    "photon_data/measurement_specs/measurement_type": "Name of the measurement the data "
    "represents.",
    "photon_data/measurement_specs/laser_repetition_rate": "Repetition rate of the pulsed "
    "excitation laser (in Hertz).",
    "photon_data/measurement_specs/detectors_specs": "Mapping between the pixel IDs and the "
    "detection channels.",
    "setup": "Information about the experimental setup.",
    "setup/num_pixels": "Total number of detector pixels.",
    "setup/num_spots": 'Number of excitation (or detection) "spots" in the sample.',
    "setup/num_spectral_ch": "Number of distinct spectral bands which are acquired.",
    "setup/num_polarization_ch": "Number of distinct polarization states which are acquired.",
    "setup/num_split_ch": "Number of distinct detection channels detecting the same spectral band "
    "and polarization. This value is > 1 when using a non-polarizing beam splitter.",
    "setup/modulated_excitation": "True (i.e. 1) if there is any form of excitation modulation of "
    "excitation wavelength (as in us-ALEX or PAX) or polarization. This field is also True for "
    "pulse-interleaved excitation (PIE) or ns-ALEX measurements.",
    "setup/excitation_alternated": "New in version 0.5. Indicates whether each excitation source "
    "is alternated (True, or 1) or not alternated (False, or 0).",
    "setup/excitation_cw": "For each excitation source, this field indicates whether excitation is "
    "continuous wave (CW), True (i.e. 1), or pulsed, False (i.e. 0).",
    "setup/lifetime": "True (i.e. 1) if the measurement includes a nanotimes array of photon "
    "arrival times with respect to a laser pulse (as in TCSPC measurements).",
    "setup/laser_repetition_rates": "Repetition rates in Hz for each laser. CW lasers have a value "
    "of 0.",
    "identity": "Information about the Photon-HDF5 data file.",
    "identity/creation_time": "Creation time of the current Photon-HDF5 file.",
    "identity/software": "Name of the software used to create the current Photon-HDF5 file.",
    "identity/software_version": "Version of the software used to create current the Photon-HDF5 "
    "file.",
    "identity/format_name": "Name of the file format.",
    "identity/format_version": "Version for the Photon-HDF5 format.",
    "identity/format_url": "Official URL for the Photon-HDF5 format.",
    "user": "What is not part of the format.",
    "user/qdcomp": "Written and read by qdcomp.",
    WARNINGS: "What was assumed or looked wrong when the photons were read, one sentence a line.",
    COUNTS_PULSES: "False (i.e. 0) if pulse numbers are estimated from the times of a clock.",
    "provenance": "Information about the original data file.",
    "provenance/filename": "File name of the original data file before conversion to Photon-HDF5.",
}

# PyTables, by which phconvert reads, needs these to give a number or a text as such.
_SCALAR = {
    "CLASS": np.bytes_(b"ARRAY"),
    "FLAVOR": np.bytes_(b"python"),
    "VERSION": np.bytes_(b"2.4"),
}

_ORDINALS = ("first", "second", "third")


def write_photon_hdf5(source: PhotonSource, path: Path | str, *, description: str = "") -> None:
    """Write photons, chunk by chunk, to a Photon-HDF5 file.

    Every channel that saw a photon becomes a detector behind one beam splitter. A stream of mode T2
    is written as one of continuous excitation, since its file cannot say otherwise. Markers have no
    place in the format and are not written; the header's warnings go to ``/user/qdcomp``. An
    existing file is replaced once the new one is whole.

    Parameters
    ----------
    source
        The photons.
    path
        Where to write, usually ``*.hdf5``.
    description
        What was measured, for whoever opens the file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    try:
        with h5py.File(partial, "w") as file:
            _write_photons(file, source)
            _write_fields(file, source.header, description)
            _write_titles(file)
        partial.replace(target)
    except OSError as error:
        raise InputError(
            f"cannot write {target}: {error}; check the folder and its space"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _write_photons(file: h5py.File, source: PhotonSource) -> None:
    header = source.header
    kinds: dict[str, Any] = {"timestamps": np.int64, "detectors": np.uint8}
    if header.microtime_bins is not None:
        kinds["nanotimes"] = choose_microtime_type(header.microtime_bins)
    columns = {
        name: file.create_dataset(
            f"photon_data/{name}",
            (header.photons,),
            kind,
            chunks=(min(_CHUNK, max(header.photons, 1)),),
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )
        for name, kind in kinds.items()
    }
    start = 0
    for chunk in source.iterate_chunks():
        piece = slice(start, start + len(chunk))
        columns["timestamps"][piece] = chunk.macrotimes
        columns["detectors"][piece] = chunk.channels
        if "nanotimes" in columns:
            columns["nanotimes"][piece] = chunk.microtimes
        start += len(chunk)


def _write_fields(file: h5py.File, header: StreamHeader, description: str) -> None:
    channels = header.channels
    is_t3 = header.mode == "T3"
    fields: dict[str, Any] = {
        "acquisition_duration": header.duration_s,
        "description": description or "photons of a single emitter",
        "format_name": "Photon-HDF5",
        "format_version": "0.5",
        "photon_data/timestamps_specs/timestamps_unit": header.macrotime_resolution_s,
        "photon_data/measurement_specs/measurement_type": "generic",
        "setup/num_pixels": len(channels),
        "setup/num_spots": 1,
        "setup/num_spectral_ch": 1,
        "setup/num_polarization_ch": 1,
        "setup/num_split_ch": len(channels),
        "setup/modulated_excitation": 0,
        "setup/excitation_alternated": np.zeros(1, np.uint8),
        "setup/excitation_cw": np.full(1, 0 if is_t3 else 1, np.uint8),
        "setup/lifetime": int(is_t3),
        "identity/creation_time": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        "identity/software": "qdcomp",
        "identity/software_version": __version__,
        "identity/format_name": "Photon-HDF5",
        "identity/format_version": "0.5",
        "identity/format_url": _URL,
        "provenance/filename": header.source or "unknown",
        COUNTS_PULSES: int(header.metadata.get("macrotimes_count_pulses", is_t3)),
    }
    if header.warnings:
        fields[WARNINGS] = "\n".join(header.warnings)
    if header.microtime_resolution_ns is not None and header.microtime_bins is not None:
        tick_s = header.microtime_resolution_ns * 1e-9
        rate_hz = 1.0 / header.macrotime_resolution_s
        fields |= {
            "photon_data/nanotimes_specs/tcspc_unit": tick_s,
            "photon_data/nanotimes_specs/tcspc_num_bins": header.microtime_bins,
            "photon_data/nanotimes_specs/tcspc_range": tick_s * header.microtime_bins,
            "photon_data/measurement_specs/laser_repetition_rate": rate_hz,
            "setup/laser_repetition_rates": np.full(1, rate_hz),
        }
    for name, value in fields.items():
        file[name] = np.bytes_(value.encode()) if isinstance(value, str) else value
    for n, channel in enumerate(channels, start=1):
        name = f"photon_data/measurement_specs/detectors_specs/split_ch{n}"
        file[name] = np.full(1, channel, np.uint8)


def _write_titles(file: h5py.File) -> None:
    attributes = file.attrs
    for name, text in (
        ("format_name", "Photon-HDF5"),
        ("format_version", "0.5"),
        ("format_url", _URL),
        ("TITLE", _TITLES[""]),
    ):
        attributes[name] = np.bytes_(text.encode())

    def title(name: str, node: Any) -> None:
        if "/split_ch" in name:
            number = int(name.rpartition("split_ch")[2])
            text = _title_split_channel(number)
        else:
            text = _TITLES[name]
        node.attrs["TITLE"] = np.bytes_(text.encode())
        if isinstance(node, h5py.Dataset) and node.shape == ():
            for attribute, value in _SCALAR.items():
                node.attrs[attribute] = value

    file.visititems(title)


def _title_split_channel(number: int) -> str:
    ordinal = _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"
    return f"Pixel IDs for the {ordinal} channel split through a non-polarizing beam splitter."
