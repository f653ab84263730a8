"""The shipped studies are the paper's: sizes, charges, simulated times, published rows."""

from pathlib import Path

import pytest

from qdcomp.compare import published
from qdcomp.engines import ENGINES, load_engine
from qdcomp.errors import EngineError
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.recipes.plans.plan import describe_engine_job, plan_jobs
from qdcomp.recipes.study_files.dot_sections import build_dot
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.resources import list_studies

ALL_STUDIES = {path.stem: path for path in list_studies() if path.stem != "sweep_demo"}
LIGAND_STUDIES = {"smoke_slab_cp2k", *(name for name in ALL_STUDIES if name.startswith("mi2025"))}
STUDIES = {name: path for name, path in ALL_STUDIES.items() if name not in LIGAND_STUDIES}
DOT_ENGINES = ("model", "cp2k")
"""Engines whose thermostat is the papers'; VASP has it from version 6.4.3 on."""

CAMPAIGN = [name for name in STUDIES if name.startswith("raino2022")]

# cells, atoms, charge, box [nm]: SI Note 1 and SI Fig. 9; the charge is 3n − 7 or neutral.
STRUCTURES = {
    "raino2022_dot_1p8nm": (3, 191, 2, 5.0),
    "raino2022_dot_2p4nm": (4, 421, 5, 6.0),
    "raino2022_dot_2p9nm": (5, 783, 8, 7.0),
    "raino2022_dot_3p6nm": (6, 1307, 11, 7.5),
    "raino2022_dot_4p2nm": (7, 2023, 14, 8.0),
    "raino2022_core_shell_3p6nm": (6, 1307, 11, 7.5),
    "raino2022_temperature_2p4nm": (4, 421, 5, 6.0),
    "raino2022_mobility_2p9nm": (5, 775, 0, 7.0),
}
SHELLS = {"0p5": 0.5, "1p0": 1.0, "1p5": 1.5, "2p0": 2.0}


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("name", STUDIES)
def test_a_shipped_study_is_valid_with_either_engine_and_keeps_its_file_name(name, engine):
    study = read_study(STUDIES[name], engine=engine)
    assert study.engine == engine
    assert study.name == name
    assert study.description
    assert STUDIES[name].read_text().startswith("# ")


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_campaign_builds_the_papers_dots(name):
    cells, atoms, charge, box_nm = STRUCTURES[name]
    study = read_study(STUDIES[name])
    structure = build_dot(study)
    assert (study.structure.cells, len(structure.atoms), structure.charge) == (cells, atoms, charge)
    assert study.structure.box_angstrom == 10 * box_nm
    assert not structure.frozen.any()


@pytest.mark.parametrize("shell", SHELLS)
def test_frozen_shells_and_frozen_cores_are_complements_in_the_775_atom_dot(shell):
    outside, inside = (
        build_dot(read_study(STUDIES[f"raino2022_frozen_{region}_{shell}"]))
        for region in ("shell", "core")
    )
    assert len(outside.atoms) == len(inside.atoms) == 775
    assert outside.charge == inside.charge == 0
    assert (outside.frozen == ~inside.frozen).all()
    assert outside.depth_cells[outside.frozen].max() == SHELLS[shell] - 0.5


def test_the_core_shell_dot_has_the_papers_ca_and_pb():
    symbols = build_dot(read_study(STUDIES["raino2022_core_shell_3p6nm"])).atoms.symbols
    assert (symbols.count("Ca"), symbols.count("Pb")) == (152, 64)


@pytest.mark.parametrize("name", CAMPAIGN)
def test_simulated_times_and_time_steps_are_the_papers(name):
    study = read_study(STUDIES[name])
    sampling = study.sampling
    frozen_or_mobility = "frozen" in name or "mobility" in name
    assert sampling.steps * sampling.timestep_fs == (4250 if frozen_or_mobility else 10_000)
    assert sampling.timestep_fs == (5.0 if frozen_or_mobility else 10.0)
    assert sampling.thermostat_time_fs == 1000.0
    assert study.relaxation.max_force_ev_per_angstrom == pytest.approx(0.024)
    if name == "raino2022_dot_4p2nm":
        stages = [stage.dynamics(10.0) for stage in study.equilibration]
        assert [stage.temperature_k for stage in stages] == [300.0, 300.0, 10.0]
        assert [stage.steps * stage.timestep_fs for stage in stages] == [2000, 1000, 5000]
        assert [stage.thermostat_time_fs for stage in stages[:2]] == [15.0, 100.0]
    elif not frozen_or_mobility:
        (stage,) = study.equilibration
        assert stage.steps * stage.timestep_fs == 3000
        assert (stage.timestep_fs, stage.thermostat_time_fs) == (10.0, 15.0)


@pytest.mark.parametrize("name", CAMPAIGN)
def test_temperatures_are_the_papers(name):
    temperatures = read_study(STUDIES[name]).sampling.temperatures_k
    if name == "raino2022_temperature_2p4nm":
        assert (min(temperatures), max(temperatures)) == (10.0, 300.0)
    else:
        warm = "frozen" in name or "mobility" in name
        assert temperatures == ((300.0,) if warm else (10.0,))


@pytest.mark.parametrize("name", STUDIES)
def test_references_name_published_numbers(name):
    reference = read_study(STUDIES[name]).reference
    if reference is None:
        return
    paper = published.load_published()[reference.paper]
    if reference.dot is not None:
        assert reference.dot in [row["dot"] for row in paper["coupling_table"]["rows"]]
    if reference.entry is not None:
        published.find_published(f"{reference.paper}.{reference.entry}")


def test_every_study_of_the_issue_is_shipped():
    sizes = ("1p8nm", "2p4nm", "2p9nm", "3p6nm", "4p2nm")
    wanted = {"demo", "smoke_cp2k", *(f"raino2022_dot_{size}" for size in sizes)}
    wanted |= {f"raino2022_frozen_{region}_{t}" for region in ("shell", "core") for t in SHELLS}
    assert wanted | set(STRUCTURES) == set(STUDIES)


@pytest.mark.parametrize("name", STUDIES)
def test_no_two_engine_jobs_of_a_study_share_a_folder(name):
    study = read_study(STUDIES[name])
    structure = build_dot(study)
    folders = []
    for job in plan_jobs(study):
        if job.kind in ENGINE_KINDS:
            assert describe_engine_job(study, job, structure).charge == structure.charge
            folders.append(Path(job.directory))
    assert len(folders) == len(set(folders))


@pytest.mark.parametrize("engine", DOT_ENGINES)
@pytest.mark.parametrize("name", STUDIES)
def test_the_engine_can_do_every_job_of_a_shipped_study(name, engine):
    study = read_study(STUDIES[name], engine=engine)
    structure = build_dot(study)
    for job in plan_jobs(study):
        if job.kind in ENGINE_KINDS:
            try:
                load_engine(engine).check(describe_engine_job(study, job, structure))
            except EngineError as error:
                pytest.skip(f"{engine} is not installed here: {error}")
