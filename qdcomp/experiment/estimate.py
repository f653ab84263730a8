"""A measured number with its error bar."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number that was estimated from finite data.

    Attributes
    ----------
    value
        The number, in the unit that the field holding it names.
    error
        Its standard error (68 %), in the same unit; NaN where the data do not say.
    """

    value: float
    error: float

    def __str__(self) -> str:
        """Value ± error with two significant digits of the error."""
        if not (math.isfinite(self.error) and self.error > 0.0):
            return f"{self.value:.4g}"
        digits = max(0, 1 - math.floor(math.log10(self.error)))
        return f"{self.value:.{digits}f} ± {self.error:.{digits}f}"
