"""The files open in other programs, with the units they need."""

import h5py
import numpy as np
import pytest

from qdcomp.errors import StoreError
from qdcomp.trajectory import TrajectoryWriter, open_trajectory
from qdcomp.trajectory.contents import POSITION


@pytest.fixture(params=[None, [40.0, 41.0, 42.0]], ids=["dot", "periodic"])
def written(request, tmp_path, symbols, masses, make_frame):
    path = tmp_path / "dot.h5md"
    frames = [make_frame(step) for step in range(5)]
    with TrajectoryWriter(path, symbols, masses, 10.0, cell=request.param) as writer:
        for frame in frames:
            writer.append(frame)
    return path, frames, request.param


def test_mdanalysis_reads_the_same_trajectory(written):
    from MDAnalysis.coordinates.H5MD import H5MDReader

    path, frames, cell = written
    reader = H5MDReader(path)
    assert reader.n_frames == len(frames)
    for step, frame in zip(reader, frames, strict=True):
        assert step.time == pytest.approx(frame.time_fs * 1e-3)  # ps
        assert step.data["step"] == frame.step
        assert step.data["potential_energy"] == frame.potential_energy_ev
        np.testing.assert_allclose(step.positions, frame.positions, rtol=1e-6)
        np.testing.assert_allclose(step.velocities, frame.velocities * 1e3, rtol=1e-6)  # Å/ps
        ev_in_kj_per_mol = 1.602176634e-19 * 6.02214076e23 / 1e3
        np.testing.assert_allclose(step.forces, frame.forces * ev_in_kj_per_mol, rtol=1e-6)
        if cell is None:
            assert step.dimensions is None
        else:
            np.testing.assert_allclose(step.dimensions, [*cell, 90, 90, 90], rtol=1e-6)
    reader.close()


def test_it_is_h5md_1_1_with_units(written):
    path, _, cell = written
    with h5py.File(path, "r") as file:
        assert file["h5md"].attrs["version"].tolist() == [1, 1]
        assert file["h5md/creator"].attrs["name"] == "qdcomp"
        assert "name" in file["h5md/author"].attrs
        assert file["h5md/modules/units"].attrs["version"].tolist() == [1, 0]
        particles = file["particles/trajectory"]
        boundary = list(particles["box"].attrs["boundary"])
        assert boundary == ["none" if cell is None else "periodic"] * 3
        assert particles["species"][:].tolist() == [55, 82, 35, 35, 35]
        assert particles["mass"].attrs["unit"] == "u"
        assert particles["position/time"].attrs["unit"] == "fs"
        assert particles["velocity/value"].attrs["unit"] == "Angstrom fs-1"
        assert file["observables/homo_energy/value"].attrs["unit"] == "eV"
        assert file["observables/temperature/value"].attrs["unit"] == "K"
        assert "unit" not in particles["homo_population/value"].attrs
        for element in (*particles.values(), *file["observables"].values()):
            if isinstance(element, h5py.Group) and "value" in element:
                assert element["step"].shape == element["time"].shape == (5,)


def test_a_trajectory_that_leads_into_another_file_is_not_read(written):
    path, _, _ = written
    other = path.with_name("other.h5md")
    path.rename(other)
    with h5py.File(other) as source, h5py.File(path, "w") as file:
        for name in source:
            source.copy(name, file)
        del file[POSITION]
        file[POSITION] = h5py.ExternalLink(other.name, POSITION)
    with pytest.raises(StoreError, match=r"position is a link to the file 'other.h5md'"):
        open_trajectory(path)
