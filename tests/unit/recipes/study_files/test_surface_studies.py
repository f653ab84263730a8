import pytest

from qdcomp.engines import load_engine
from qdcomp.errors import EngineError, InputError
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.recipes.plans.plan import build_structures, describe_engine_job, plan_jobs
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.study_files.surface_structures import (
    choose_sites,
    remove_fragment,
    select_fragment,
)
from qdcomp.resources import find_study, list_studies

SHIPPED = [path.stem for path in list_studies() if path.stem.startswith(("mi2025", "smoke_slab"))]

TEXT = """\
name: test
recipe: {recipe}
engine: cp2k
slab: {{repeat: [2, 2], crystal: cubic, kpoints: [4, 4, 1]}}
ligand: {{name: MA}}
{rest}
engines:
  cp2k: {{dispersion: D3BJ, kpoints: [1, 1, 1], relaxation: {{max_force: 0.1 eV/angstrom}}}}
"""


@pytest.fixture
def make_study(tmp_path):
    def make(recipe="ligand_binding", rest="", text=TEXT, **replaced):
        content = text.format(recipe=recipe, rest=rest)
        for old, new in replaced.values():
            assert old in content
            content = content.replace(old, new)
        path = tmp_path / "study.yaml"
        path.write_text(content)
        return read_study(path)

    return make


@pytest.mark.parametrize("engine", ["cp2k", "vasp"])
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_study_is_valid_with_both_codes(name, engine, tmp_path):
    study = read_study(find_study(name), engine=engine)
    assert (study.name, study.engine) == (name, engine)
    again = tmp_path / "study.yaml"
    again.write_text(study.to_yaml())
    assert read_study(again).study_hash == study.study_hash
    folders = [job.directory for job in plan_jobs(study) if job.kind in ENGINE_KINDS]
    assert len(folders) == len(set(folders))


def test_the_papers_studies_are_all_there():
    parts = ("binding", "surface_energy", "pair", "entropy")
    wanted = {f"mi2025_{ligand}_{part}" for ligand in ("pea", "dda") for part in parts}
    assert wanted | {"smoke_slab_cp2k"} == set(SHIPPED)


def test_an_engines_own_kpoints_and_convergence_come_before_the_studys(make_study):
    rest = "relaxation: {max_energy_change: 1 meV}"
    own = make_study(rest=rest)
    assert own.slab.kpoints == (1, 1, 1)
    assert own.relaxation.max_force_ev_per_angstrom == pytest.approx(0.1)
    assert own.relaxation.max_energy_change_ev is None
    other = make_study(rest=rest, engine=("engine: cp2k", "engine: vasp"))
    assert other.slab.kpoints == (4, 4, 1)
    assert other.relaxation.max_energy_change_ev == pytest.approx(1e-3)
    assert other.engine_settings == {}


def test_binding_needs_the_complex_what_is_left_and_the_pair(make_study):
    study = make_study()
    names = [job.name.removeprefix("test: ") for job in plan_jobs(study)]
    assert names == [
        "00 build",
        "01 relax complex",
        "02 energy without",
        "01 relax ion_pair",
        "04 combine",
    ]
    built = build_structures(study)
    counts = {
        name: str(built[name].atoms.symbols.formula) for name in ("complex", "without", "ion_pair")
    }
    assert len(built["complex"].atoms) == 28 - 1 + 8
    assert len(built["without"].atoms) == 28 - 2
    assert len(built["ion_pair"].atoms) == 9
    assert counts["without"].count("Cs") == 1
    assert {built[name].charge for name in counts} == {0}


def test_counterpoise_has_each_part_with_and_without_the_others_basis(make_study):
    study = make_study(rest="binding: {counterpoise: yes}")
    jobs = {job.label: job for job in plan_jobs(study) if job.label}
    assert set(jobs) == {
        "surface_alone",
        "surface_with_ghosts",
        "pair_alone",
        "pair_with_ghosts",
    }
    complex_ = build_structures(study)["complex"]
    sizes = {}
    for label, job in jobs.items():
        described = describe_engine_job(study, job, complex_)
        ghosts = 0 if described.ghost is None else int(described.ghost.sum())
        sizes[label] = (len(described.atoms), ghosts)
    assert sizes == {
        "surface_alone": (26, 0),
        "surface_with_ghosts": (35, 9),
        "pair_alone": (9, 0),
        "pair_with_ghosts": (35, 26),
    }


def test_all_energies_of_a_binding_energy_are_on_the_same_kpoints(make_study):
    study = make_study(rest="binding: {counterpoise: yes}\nfinal_kpoints: [2, 2, 1]")
    slabs = [job for job in plan_jobs(study) if job.kind == "energy"]
    assert len(slabs) == 6
    assert {job.kpoints for job in slabs} == {(2, 2, 1)}


def test_the_ligand_leaves_with_the_anion_of_its_site(make_study):
    study = make_study()
    complex_ = build_structures(study)["complex"]
    adsorbate = select_fragment(study, complex_, "ligand")
    assert complex_.atoms[adsorbate].get_chemical_formula("hill") == "CH6BrN"
    surface = remove_fragment(study, complex_, "ligand")
    assert surface.ligands == ()
    assert surface.atoms.get_chemical_formula("metal") == "Cs7Pb4Br15"


def test_a_series_has_every_number_of_ligands_and_survives_a_failure(make_study):
    study = make_study("surface_energy", "final_kpoints: [2, 2, 1]")
    configurations = choose_sites(study)
    assert [entry.bound for entry in configurations] == list(range(9))
    jobs = plan_jobs(study)
    assert jobs[-1].kind == "combine" and jobs[-1].tolerates_failures
    final = [job for job in jobs if job.kind == "energy"]
    assert {job.kpoints for job in final} == {(2, 2, 1)}
    assert all(job.tolerates_failures for job in final)
    built = build_structures(study)
    for entry in configurations:
        structure = built[entry.name]
        assert len(structure.ligands) == entry.bound
        assert len(structure.atoms) == 12 + entry.bound * 9
        assert structure.charge == 0


def test_all_configurations_are_computed_on_request(make_study):
    study = make_study("surface_energy", "coverage: {bound: [0, 2], configurations: all}")
    assert [entry.name for entry in choose_sites(study)] == [
        "N0", "N2-a", "N2-b", "N2-c", "N2-d", "N2-e",
    ]  # fmt: skip


def test_pairs_are_uncharged_molecules_cut_out_of_the_layer(make_study):
    rest = "pair: {neighbours: 2, displacements: [-0.2 angstrom, 0 angstrom, 1 angstrom]}"
    study = make_study("ligand_pair", rest)
    built = build_structures(study)
    assert list(built) == [
        "layer", "molecule_0", "molecule_1", "molecule_2", "pair_0_1", "pair_0_2", "cluster",
        "scan_00", "scan_01", "scan_02",
    ]  # fmt: skip
    assert built["molecule_0"].atoms.get_chemical_formula("hill") == "CH4"
    assert len(built["cluster"].atoms) == 15
    moved = [built[f"scan_0{index}"].atoms.positions[5:] for index in range(3)]
    for shifted, wanted in ((moved[0], 0.2), (moved[2], 1.0)):
        steps = ((shifted - moved[1]) ** 2).sum(axis=1) ** 0.5
        assert steps == pytest.approx([wanted] * 5)
    kinds = {job.kind for job in plan_jobs(study)}
    assert kinds == {"build", "cut", "energy", "combine"}


def test_a_rigid_entropy_runs_no_engine(make_study):
    rest = "relax_molecules: no"
    text = TEXT.replace("slab: {{repeat: [2, 2], crystal: cubic, kpoints: [4, 4, 1]}}\n", "")
    text = text.replace(", kpoints: [1, 1, 1]", "")
    study = make_study("gas_entropy", rest, text)
    assert [job.kind for job in plan_jobs(study)] == ["build", "combine"]
    vibrating = make_study("gas_entropy", rest + "\nthermodynamics: {method: rrho}", text)
    kinds = [job.kind for job in plan_jobs(vibrating)]
    assert kinds == ["build", "relax", "vibrations", "combine"]


@pytest.mark.parametrize(
    ("recipe", "rest", "replaced", "message"),
    [
        ("ligand_binding", "", ("name: MA", "name: MX"), "line 5: ligand: there is no ligand"),
        ("ligand_binding", "", ("name: MA", "name: acetate"), "takes no A site"),
        ("ligand_binding", "binding: {site: C9}", None, "there is no site|has no site 'C9'"),
        ("ligand_binding", "", ("[2, 2], crystal: cubic", "[0, 2]"), "repeat: expected 2 whole"),
        ("ligand_binding", "", ("crystal: cubic", "termination: CsCl"), "terminations: PbBr2, Cs"),
        ("ligand_binding", "", ("crystal: cubic", "facet: 210"), "expected 100, 110 or 111"),
        ("surface_energy", "coverage: {bound: [0, 9]}", None, "coverage above 1"),
        ("surface_energy", "coverage: {bound: [1, 2]}", None, "add 0 to bound"),
        ("surface_energy", "coverage: {configurations: [N2-z]}", None, "no configuration N2-z"),
        ("gas_entropy", "thermodynamics: {temperature: 298 eV}", None, "unit of energy"),
        ("ligand_pair", "pair: {form: dimer}", None, "none of tail, amine, ion_pair"),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(make_study, recipe, rest, replaced, message):
    with pytest.raises(InputError, match=message):
        make_study(recipe, rest, **({} if replaced is None else {"change": replaced}))


def test_the_surrogate_refuses_ligands(make_study):
    study = make_study(engine=("engine: cp2k", "engine: model"))
    complex_ = build_structures(study)["complex"]
    job = next(job for job in plan_jobs(study) if job.kind == "relax")
    with pytest.raises((InputError, EngineError)):
        load_engine("model").check(describe_engine_job(study, job, complex_))
