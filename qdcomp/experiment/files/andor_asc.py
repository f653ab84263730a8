"""Text that Andor Solis exports: columns of numbers and "Key: value" lines above or below them.

The first column is the wavelength of the pixel, each further one a frame of a kinetic series. The
lines of the acquisition say the exposure, the number of accumulations and the kind of data, among
them whether a background was taken off. Checked against a file of Solis 4.30.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ANDOR_KEYS = ("Acquisition Mode", "Exposure Time (secs)", "Data Type")
"""Of these lines at least two are in every export with acquisition information."""


@dataclass(frozen=True)
class AndorAcquisition:
    """What Solis writes beside the numbers.

    Attributes
    ----------
    exposure_s
        Exposure of one frame, all accumulations together [s]; None where not written.
    frame_period_s
        Time from frame to frame of a kinetic series [s]; None where not written.
    background_subtracted
        True if the kind of data says so.
    per_second
        True if the values are counts per second.
    metadata
        All lines by their own names.
    """

    exposure_s: float | None
    frame_period_s: float | None
    background_subtracted: bool
    per_second: bool
    metadata: Mapping[str, str]


def is_andor_text(lines: Sequence[str]) -> bool:
    """Whether lines of text beside the numbers are those of Andor Solis."""
    found = {key for key in ANDOR_KEYS for line in lines if line.startswith(f"{key}:")}
    return len(found) >= 2


def parse_acquisition(lines: Sequence[str]) -> AndorAcquisition:
    """Read what the lines beside the numbers say.

    Parameters
    ----------
    lines
        All lines that are not rows of numbers.
    """
    metadata: dict[str, str] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if colon and value.strip():
            metadata.setdefault(key.strip(), value.strip())
    exposure = _positive(metadata.get("Exposure Time (secs)"))
    accumulations = _positive(metadata.get("Number of Accumulations")) or 1.0
    subtracted, per_second = interpret_data_type(metadata.get("Data Type", ""))
    return AndorAcquisition(
        exposure_s=None if exposure is None else exposure * accumulations,
        frame_period_s=_positive(metadata.get("Kinetic Cycle Time (secs)")),
        background_subtracted=subtracted,
        per_second=per_second,
        metadata=metadata,
    )


def interpret_data_type(name: str) -> tuple[bool, bool]:
    """Whether a background is off, and whether values are per second, by Solis' name of the data.

    ``"Counts"`` is neither, ``"Counts (Bg corrected per second)"`` both.
    """
    lower = name.lower()
    return "bg corrected" in lower or "background corrected" in lower, "per second" in lower


def _positive(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if 0.0 < value < float("inf") else None
