"""Damaged files are read as far as they go, or refused with a ParseError, and nothing else."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from builders.cp2k_runs import write_run
from builders.damage import iterate_damaged
from builders.vasp_jobs import make_mixed_slab, make_molecule_job, make_slab_job
from builders.vasp_runs import run_stand_in

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.engines.cp2k import job_file as cp2k_job_file
from qdcomp.engines.cp2k.inputs import prepare_job, render_input, write_input
from qdcomp.engines.cp2k.molog import read_molog_frontier
from qdcomp.engines.cp2k.outputs import read_output
from qdcomp.engines.foreign import read_foreign_dynamics
from qdcomp.engines.vasp import job_file as vasp_job_file
from qdcomp.engines.vasp.eigenvalues import find_frontier, read_eigenval
from qdcomp.engines.vasp.inputs import render_inputs
from qdcomp.engines.vasp.ionic_steps import RunOutput
from qdcomp.engines.vasp.outcar import read_outcar
from qdcomp.engines.vasp.poscar import read_written_structure
from qdcomp.engines.vasp.projections import read_populations
from qdcomp.engines.vasp.vasprun import read_vasprun
from qdcomp.engines.vasp.xdatcar import iterate_xdatcar
from qdcomp.engines.vasp.xdatcar_end import count_frames, read_last_frames
from qdcomp.errors import InputError, ParseError

_OUTCAR_LINES = (
    rb"(?i)vrhfin|zval|ions per type|iteration|total +energy|toten|entropy=|ekin|kin. lattice|"
    rb"e-fermi|k-point|^ *\d+ +-?\d+\.\d+ +\d\.\d+ *$|position|lattice vectors|elapsed|nelect|"
    rb"ibrion|potim|nelm|tebeg|thz|potcar:|^ +-?\d+\.\d+ +-?\d+\.\d+ +-?\d+\.\d+ "
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A relaxation, a dynamics and frequencies, as the stand-in for VASP writes them."""
    root = tmp_path_factory.mktemp("runs")
    relaxation = RelaxationSettings(max_force_ev_per_angstrom=0.5)
    run_stand_in(
        root / "relax", make_slab_job("relax", atoms=make_mixed_slab(), relaxation=relaxation)
    )
    dynamics = DynamicsSettings(300.0, 2.0, 4)
    settings = {"thermostat": "nose"}
    run_stand_in(root / "dynamics", make_slab_job("dynamics", dynamics=dynamics, settings=settings))
    run_stand_in(root / "vibrations", make_molecule_job("vibrations"))
    return root


def survive(
    read: Callable[[Path], object], path: Path, content: bytes, count: int, lines: bytes = b""
) -> int:
    """Read damaged copies of a file; return how many were refused, each naming the file."""
    refused = 0
    for number, damaged in enumerate(iterate_damaged(content, count, 1, read=lines)):
        path.write_bytes(damaged)
        try:
            read(path)
        except (ParseError, InputError) as error:
            refused += 1
            assert path.name in str(error), (number, error)
        except Exception as error:
            raise AssertionError(f"damage number {number} of {path.name}: {error!r}") from error
    return refused


def look_at(run: RunOutput) -> None:
    """Use of a run what a result is made of."""
    assert run.header.charge is None or isinstance(run.header.charge, int)
    for step in (run.first, run.last):
        if step is not None and step.bands is not None:
            find_frontier(step.bands)
        if step is not None and step.positions is not None:
            assert np.isfinite(step.positions).all()


@pytest.mark.parametrize("name", ["relax", "dynamics", "vibrations"])
def test_outcar(runs: Path, tmp_path: Path, name: str) -> None:
    content = (runs / name / "OUTCAR").read_bytes()
    refused = survive(
        lambda path: look_at(read_outcar(path)), tmp_path / "OUTCAR", content, 120, _OUTCAR_LINES
    )
    assert refused > 0


@pytest.mark.parametrize(
    "name", ["slab_pymatgen/OUTCAR.relax1.gz", "static_full_set_custodian/OUTCAR"]
)
def test_public_outcar(shared_data: Path, tmp_path: Path, name: str) -> None:
    content = (shared_data / "vasp" / name).read_bytes()
    content = gzip.decompress(content) if name.endswith(".gz") else content
    survive(
        lambda path: look_at(read_outcar(path)), tmp_path / "OUTCAR", content, 40, _OUTCAR_LINES
    )


@pytest.mark.parametrize("name", ["relax", "dynamics"])
def test_vasprun(runs: Path, tmp_path: Path, name: str) -> None:
    content = (runs / name / "vasprun.xml").read_bytes()
    wanted = rb"(?i)version|ibrion|nelect|nelm|potim|tebeg|<rc>|<v>|<r>|energy|kinetic|total"
    refused = survive(
        lambda path: look_at(read_vasprun(path)), tmp_path / "vasprun.xml", content, 150, wanted
    )
    assert refused > 15


def test_eigenval(runs: Path, tmp_path: Path) -> None:
    content = (runs / "relax" / "EIGENVAL").read_bytes()
    heading = b"".join(content.splitlines(keepends=True)[:6])
    for part in (content, heading):
        refused = survive(
            lambda path: find_frontier(read_eigenval(path)), tmp_path / "EIGENVAL", part, 250
        )
        assert refused > 50


def test_procar(runs: Path, tmp_path: Path) -> None:
    content = (runs / "relax" / "PROCAR").read_bytes()
    wanted = rb"k-point|band|ion"
    survive(
        lambda path: read_populations(path, [(0, 0, 2), (0, 3, 29)]),
        tmp_path / "PROCAR", content, 250, wanted,
    )  # fmt: skip


def test_xdatcar(runs: Path, tmp_path: Path) -> None:
    content = (runs / "dynamics" / "XDATCAR").read_bytes()
    refused = survive(lambda path: list(iterate_xdatcar(path)), tmp_path / "XDATCAR", content, 400)
    assert refused > 100
    assert not survive(
        lambda path: (count_frames(path, 7), read_last_frames(path, 7, 3)),
        tmp_path / "XDATCAR", content, 200,
    )  # fmt: skip


def test_contcar(runs: Path, tmp_path: Path) -> None:
    for name in ("relax", "dynamics"):
        job = vasp_job_file.read_job_file(runs / name)
        content = (runs / name / "CONTCAR").read_bytes()
        refused = survive(
            lambda path, job=job: read_written_structure(path, job),
            tmp_path / "CONTCAR", content, 150,
        )  # fmt: skip
        assert refused == 0


def test_description_of_a_vasp_job(runs: Path, tmp_path: Path) -> None:
    content = (runs / "dynamics" / vasp_job_file.JOB_NAME).read_bytes()
    refused = survive(
        lambda path: render_inputs(tmp_path, vasp_job_file.read_job_file(tmp_path)),
        tmp_path / vasp_job_file.JOB_NAME, content, 150,
    )  # fmt: skip
    assert refused > 40


@pytest.mark.parametrize("name", ["OUTCAR", "XDATCAR"])
def test_a_directory_of_vasp(runs: Path, tmp_path: Path, name: str) -> None:
    for file in ("OUTCAR", "XDATCAR"):
        (tmp_path / file).write_bytes((runs / "dynamics" / file).read_bytes())

    def read(path: Path) -> None:
        found = read_foreign_dynamics(tmp_path)
        assert len(list(found.frames())) == found.n_frames

    for damaged in _damage(tmp_path / name, 120, _OUTCAR_LINES if name == "OUTCAR" else b""):
        _read_directory(read, damaged)


_CP2K_LINES = (
    rb"Atoms:|ENERGY\||SCF run|Step number|STEP NUMBER|STARTED|ENDED|MD\||OPT\||Informations|"
    rb"gradient|igenvalue|Run type|VIB\||FORCES|^ +-?\d+\.\d+|Total energy|^ *\d+ +\d+ +[A-Z]"
)


@pytest.mark.parametrize(
    "name",
    [
        "libra_ch2o_2023.1/2_1_1.md.log",
        "libra_ch2o_2023.1/2_2_4c.md.log",
        "qmflows/cp2k_opt/cp2k_opt.out",
        "failed_custodian/cp2k.out.imprecise",
        "failed_custodian/cp2k.out.unconverged",
        "cp2k-output-tools/cell_opt_snippet.out",
    ],
)
def test_cp2k_output(shared_data: Path, tmp_path: Path, name: str) -> None:
    content = (shared_data / "cp2k" / name).read_bytes()
    survive(read_output, tmp_path / "cp2k.out", content, 120, _CP2K_LINES)


def test_molog(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "cp2k" / "qmflows"
    for path in (folder / "cp2k_job" / "orbitals.out-1_0.MOLog", folder / "no_alpha.MOLog"):
        survive(read_molog_frontier, tmp_path / "orbitals.MOLog", path.read_bytes(), 150)


def test_description_of_a_cp2k_job(tmp_path: Path) -> None:
    job = EngineJob(
        "dynamics",
        Atoms("HBr", positions=[[1.0, 2.0, 3.0], [1.0, 2.0, 4.41]]),
        charge=0,
        frozen=np.array([True, False]),
        dynamics=DynamicsSettings(300.0, 2.0, 4),
    )
    write_input(tmp_path, prepare_job(job, None))
    content = (tmp_path / cp2k_job_file.JOB_NAME).read_bytes()
    refused = survive(
        lambda path: render_input(cp2k_job_file.read_job_file(tmp_path)),
        tmp_path / cp2k_job_file.JOB_NAME, content, 150,
    )  # fmt: skip
    assert refused > 40


@pytest.mark.parametrize("name", ["cp2k.out", "qdcomp-pos-1.xyz", "qdcomp-1.ener", "cp2k.inp"])
def test_a_directory_of_cp2k(tmp_path: Path, name: str) -> None:
    write_run(tmp_path, range(5))
    (tmp_path / "cp2k.inp").write_text(
        "&MOTION\n  &MD\n    TIMESTEP [ps] 0.01\n    TEMPERATURE 300.0\n  &END MD\n&END MOTION\n"
    )

    def read(path: Path) -> None:
        found = read_foreign_dynamics(tmp_path)
        assert len(list(found.frames())) == found.n_frames

    for damaged in _damage(tmp_path / name, 120, b""):
        _read_directory(read, damaged)


def _damage(path: Path, count: int, lines: bytes) -> Iterator[tuple[int, Path]]:
    content = path.read_bytes()
    for number, damaged in enumerate(iterate_damaged(content, count, 2, read=lines)):
        path.write_bytes(damaged)
        yield number, path
    path.write_bytes(content)


def _read_directory(read: Callable[[Path], object], damaged: tuple[int, Path]) -> None:
    number, path = damaged
    try:
        read(path)
    except (ParseError, InputError):
        return
    except Exception as error:
        raise AssertionError(f"damage number {number} of {path.name}: {error!r}") from error
