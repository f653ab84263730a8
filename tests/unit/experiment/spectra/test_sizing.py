import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.spectra.sizing import SIZING_CURVES, estimate_dot_size
from qdcomp.experiment.spectra.spectrum import HC_EV_NM

# Mi et al. 2025, SI Table 1
MI_EDGES_NM = (3.0, 3.6, 4.2, 5.1)
MI_PEAKS_NM = (462.0, 467.0, 478.0, 491.0)


@pytest.mark.parametrize("curve", ["mi2025", "mi2025_damato2023"])
def test_the_dots_of_the_table_have_their_sizes_within_the_error(curve: str) -> None:
    pulls = []
    for edge, peak in zip(MI_EDGES_NM, MI_PEAKS_NM, strict=True):
        size = estimate_dot_size(Estimate(HC_EV_NM / peak, 0.0), curve).edge_nm
        assert size is not None
        pulls.append((size.value - edge) / size.error)
    assert np.max(np.abs(pulls)) < 2.0
    assert np.sqrt(np.mean(np.square(pulls))) < 1.2


def test_the_12_nm_batch_of_damato_is_about_12_nm() -> None:
    size = estimate_dot_size(Estimate(HC_EV_NM / 512.5, 0.0)).edge_nm
    assert size is not None
    assert abs(size.value - 12.0) < size.error


@pytest.mark.parametrize("curve", SIZING_CURVES.values(), ids=lambda curve: curve.name)
def test_a_curve_gives_back_the_edge_that_its_energy_is_of(curve) -> None:  # type: ignore[no-untyped-def]
    low, high = curve.energies_ev
    edges = []
    for energy in np.linspace(low, high, 9):
        size = estimate_dot_size(Estimate(float(energy), 0.001), curve.name).edge_nm
        assert size is not None
        assert curve.compute_energy_ev(size.value) == pytest.approx(energy, abs=1e-9)
        assert size.error > 0.0
        edges.append(size.value)
    assert np.all(np.diff(edges) < 0.0)


def test_the_effective_mass_model_agrees_with_the_measured_sizes_where_it_is_said_to() -> None:
    curve = SIZING_CURVES["effective_mass"]
    for energy in np.linspace(*curve.energies_ev, 9):
        model = estimate_dot_size(Estimate(float(energy), 0.0), "effective_mass").edge_nm
        measured = estimate_dot_size(Estimate(float(energy), 0.0)).edge_nm
        assert model is not None and measured is not None
        assert model.value == pytest.approx(measured.value, rel=0.15)


def test_the_error_of_the_peak_enters() -> None:
    sharp = estimate_dot_size(Estimate(2.55, 0.0)).edge_nm
    blurred = estimate_dot_size(Estimate(2.55, 0.02)).edge_nm
    assert sharp is not None and blurred is not None
    # dE/dd = −b/d² of the line
    slope = 1.11655 / sharp.value**2
    assert blurred.error**2 - sharp.error**2 == pytest.approx((0.02 / slope) ** 2, rel=0.01)


def test_outside_its_range_a_curve_gives_no_size_but_the_reason() -> None:
    large = estimate_dot_size(Estimate(2.40, 0.001))
    assert large.edge_nm is None
    assert "larger than 12 nm" in large.reason
    small = estimate_dot_size(Estimate(2.75, 0.001), "mi2025")
    assert small.edge_nm is None
    assert "smaller than 3 nm" in small.reason
    with pytest.raises(InputError, match="no sizing curve"):
        estimate_dot_size(Estimate(2.5, 0.0), "guess")
    with pytest.raises(InputError, match="positive energy"):
        estimate_dot_size(Estimate(float("nan"), 0.0))
