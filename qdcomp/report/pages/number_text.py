"""Numbers as a reader wants them: as many digits as the error allows."""

from __future__ import annotations

import math

MISSING = "–"
"""Stands where there is no number."""


def format_measured(value: float | None, error: float | None = None, unit: str = "") -> str:
    """Value ± error with the error's two leading digits (one from 3 up), and the unit.

    Parameters
    ----------
    value, error
        The number and its standard error; without an error three significant digits are given.
    unit
        Put behind; "" for a pure number.

    Examples
    --------
    >>> format_measured(127.93, 18.7, "meV")
    '128 ± 19 meV'
    """
    if value is None or not math.isfinite(value):
        return MISSING
    suffix = f" {unit}" if unit else ""
    if error is None or not math.isfinite(error) or error <= 0.0:
        return f"{format_plain(value)}{suffix}"
    exponent = math.floor(math.log10(error))
    leading = error / 10.0**exponent
    decimals = (1 if leading < 2.95 else 0) - exponent
    if decimals > 6 or exponent > 5:
        return f"{value:.3g} ± {error:.2g}{suffix}"
    shown = max(decimals, 0)
    rounded = _minus(f"{round(value, decimals):.{shown}f}")
    return f"{rounded} ± {round(error, decimals):.{shown}f}{suffix}"


def format_plain(value: float | None, digits: int = 3) -> str:
    """Return so many significant digits without an exponent where that stays readable."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value != 0.0 and not 1e-4 <= abs(value) < 1e6:
        return _minus(f"{value:.{digits - 1}e}")
    decimals = digits - 1 - (math.floor(math.log10(abs(value))) if value else 0)
    return _minus(f"{value:.{max(decimals, 0)}f}")


def format_duration(seconds: float | None) -> str:
    """Wall time as ``12 s``, ``3 min 20 s`` or ``5 h 03 min``."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 60.0:
        return f"{seconds:.2g} s" if seconds < 10.0 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def _minus(text: str) -> str:
    return text.replace("-", "−") if text.startswith("-") else text
