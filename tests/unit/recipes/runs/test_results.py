from dataclasses import fields, is_dataclass

import h5py
import numpy as np
import pytest

from qdcomp.analysis import DotAnalysis, analyse_dot
from qdcomp.errors import StoreError
from qdcomp.recipes.runs.results import load_result, save_result

N_FRAMES, N_ATOMS = 400, 6


@pytest.fixture(scope="module")
def analysis() -> DotAnalysis:
    rng = np.random.default_rng(4)
    times = np.arange(N_FRAMES) * 10.0
    rest = np.array(
        [[2.9, 0, 0], [-2.9, 0, 0], [0, 2.9, 0], [0, -2.9, 0], [0, 0, 2.9], [0.3, 0.2, 0]]
    )
    phases = rng.uniform(0, 2 * np.pi, size=(N_ATOMS, 3))
    swing = np.cos(0.01 * times[:, None, None] + phases)
    populations = rng.dirichlet(np.ones(N_ATOMS), size=N_FRAMES)
    return analyse_dot(
        positions=rest + 0.05 * swing,
        gap_ev=2.0 + 0.02 * np.cos(0.01 * times + 0.3) + 0.01 * np.cos(0.025 * times),
        masses=np.array([80.0] * 5 + [207.0]),
        symbols=("Br",) * 5 + ("Pb",),
        depth_cells=np.array([0.0, 0.0, 0.5, 0.5, 1.0, 0.5]),
        timestep_fs=10.0,
        temperature_k=10.0,
        homo_populations=populations,
        lumo_populations=populations,
    )


def assert_same(left, right):
    assert type(left) is type(right)
    if is_dataclass(left):
        for entry in fields(left):
            assert_same(getattr(left, entry.name), getattr(right, entry.name))
    elif isinstance(left, np.ndarray):
        np.testing.assert_array_equal(left, right)
    elif isinstance(left, dict):
        assert set(left) == set(right)
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, tuple):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    else:
        assert left == right or (left != left and right != right)


def test_an_analysis_comes_back_from_its_file_unchanged(tmp_path, analysis):
    save_result(tmp_path / "analysis.h5", analysis)
    assert_same(load_result(tmp_path / "analysis.h5", DotAnalysis), analysis)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"nothing\.h5"):
        load_result(tmp_path / "nothing.h5", DotAnalysis)


def test_a_truncated_file_is_an_error_that_says_what_to_do(tmp_path, analysis):
    path = tmp_path / "analysis.h5"
    save_result(path, analysis)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(StoreError, match="qdcomp resume"):
        load_result(path, DotAnalysis)


def test_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(StoreError, match="not DotAnalysis"):
        load_result(path, DotAnalysis)


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_the_old_one(tmp_path, analysis):
    path = tmp_path / "analysis.h5"
    save_result(path, analysis)
    before = path.read_bytes()
    path.with_suffix(".partial").mkdir()
    with pytest.raises(StoreError, match="cannot write"):
        save_result(path, analysis)
    assert path.read_bytes() == before


def test_a_result_that_leads_into_another_file_is_not_read(tmp_path, analysis):
    path = tmp_path / "analysis.h5"
    save_result(path, analysis)
    path.rename(tmp_path / "other.h5")
    with h5py.File(tmp_path / "other.h5") as source, h5py.File(path, "w") as file:
        file.attrs.update(source.attrs)
        for name in source:
            file[name] = h5py.ExternalLink("other.h5", name)
    with pytest.raises(StoreError, match=r"is a link to the file 'other\.h5'"):
        load_result(path, DotAnalysis)
