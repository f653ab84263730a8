"""Andor .sif files with contents of one's own, laid out as those of version 65567."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

MAGIC = b"Andor Technology Multi-Channel File\n"
USER_TEXT = bytes(range(256)) * 8


def write_sif(
    path: Path,
    frames: ArrayLike,
    *,
    coefficients: Sequence[float] = (500.0, 0.1, 0.0, 0.0),
    exposure_s: float = 0.5,
    accumulations: int = 1,
    cycle_s: float = 2.0,
    times_us: Sequence[int] | None = None,
    axis_name: str = "Wavelength",
    data_type: str = "Counts",
    version: int = 65567,
) -> Path:
    """Write frames of shape ``(n_frames, n_columns)`` or ``(n_frames, n_rows, n_columns)``."""
    values = np.asarray(frames, dtype="<f4")
    if values.ndim == 2:
        values = values[:, None, :]
    n_frames, rows, columns = values.shape
    stamps = [round(1e6 * cycle_s * n) for n in range(n_frames)] if times_us is None else times_us
    calibration = " ".join(str(value) for value in coefficients)
    lines = [
        f"65538 1\n{version} 0 0 1 1504875832 -60 \0 \0 \0 \2 \0 0 {exposure_s} {cycle_s} "
        f"{cycle_s} {accumulations} \0 {cycle_s} 3e-08 0 1 20 0 0 0 0 0 \2 \0 256 0 4 1\n",
        f"DU888_BV \n {columns} {columns} 8\nfile.sif \n65538 2048\n",
    ]
    middle = [
        "65538 \1 \2 \3 \0 0.027 0\n65540 1 1 430 1 0 1200.75 500NM\n0 SR193i\n",
        f"{calibration}\n0 1 0 0\n0 1 0 0\n422\n13\n13\n1\n",
        f"{len(axis_name)}\n{axis_name}{len(data_type)}\n{data_type}12\nPixel number",
        f"65541 1 {rows} {columns} 1 {n_frames} 1 {values.size} {rows * columns}\n",
        f"65538 1 {rows} {columns} 1 1 1 0\n",
        "".join(f"{stamp:>10d}\n" for stamp in stamps),
        "1\n" + "".join(f"{1122186 + n:>20d}\n" for n in range(n_frames)),
    ]
    path.write_bytes(
        MAGIC
        + "".join(lines).encode("latin-1")
        + USER_TEXT
        + b"\n"
        + "".join(middle).encode("latin-1")
        + values.tobytes()
        + b"0\n0\n"
    )
    return path
