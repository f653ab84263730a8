"""Linewidths of made-up dots on a known law."""

import math

import numpy as np

from qdcomp.compare.observable import Observable
from qdcomp.experiment import Estimate

LEVEL_MEV, SLOPE_MEV_NM = 40.0, 280.0


def law(edge_nm):
    return LEVEL_MEV + SLOPE_MEV_NM / edge_nm


def calculated(edge, value=None, error=10.0, **changes):
    settings = {
        "source": "model engine",
        "label": f"{edge:g} nm dot",
        "temperature_k": 300.0,
        "edge_nm": Estimate(edge, math.nan),
        "assumptions": ("the engine is a surrogate",),
    } | changes
    return Observable(
        "linewidth",
        law(edge) if value is None else value,
        error,
        "meV",
        "calculated",
        **settings,
    )


def measured(edge, value=None, error=4.0, **changes):
    settings = {
        "source": "this laboratory",
        "label": f"dot {edge:.3g}",
        "temperature_k": 298.0,
        "edge_nm": Estimate(edge, math.nan),
    } | changes
    return Observable(
        "linewidth", law(edge) if value is None else value, error, "meV", "measured", **settings
    )


def measured_series(seed=0, edges=None, scatter=0.0, error=4.0):
    rng = np.random.default_rng(seed)
    edges = np.linspace(2.0, 6.0, 9) if edges is None else edges
    noise = math.hypot(scatter, error or 0.0)
    return [measured(float(d), law(float(d)) + rng.normal(0.0, noise), error) for d in edges]
