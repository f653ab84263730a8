import pytest

from qdcomp.errors import InputError, ParseError
from qdcomp.recipes.clusters.profile import BATCH_SYSTEMS, STAGES
from qdcomp.recipes.clusters.profile_sections import find_profile, read_profile
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.resources import find_template

LEAST = "batch_system: slurm\nresources: {{cores: 1, walltime: 1 h}}\n{more}\n"


def complaints(write_profile, more):
    with pytest.raises(InputError) as raised:
        read_profile(write_profile(LEAST.format(more=more)))
    return str(raised.value)


def test_quantities_come_in_seconds_and_mebibytes(make_profile):
    resources = make_profile().resources
    assert (resources.walltime_s, resources.memory_mib) == (5400, 65536)
    assert (resources.nodes, resources.cores, resources.threads, resources.ranks) == (2, 16, 4, 4)


def test_a_stage_differs_only_in_what_it_says(make_profile):
    profile = make_profile()
    dynamics = profile.find_resources("sample")
    assert dynamics == profile.find_resources("equilibrate")
    assert (dynamics.nodes, dynamics.walltime_s, dynamics.partition) == (4, 129600, "long")
    assert (dynamics.cores, dynamics.account) == (16, "perovskites")
    assert profile.find_resources("relax") == profile.resources


def test_own_jobs_of_qdcomp_take_one_node(make_profile):
    own = make_profile().find_resources("analyse")
    assert (own.nodes, own.cores, own.memory_mib) == (1, 2, 2048)


def test_every_kind_of_job_has_a_stage(make_profile):
    profile = make_profile()
    kinds = [kind for kinds in STAGES.values() for kind in kinds]
    assert len(kinds) == len(set(kinds))
    assert set(ENGINE_KINDS) <= set(kinds) and not set(ENGINE_KINDS) & set(STAGES["own"])
    assert all(profile.find_resources(kind) for kind in kinds)


@pytest.mark.parametrize("batch_system", BATCH_SYSTEMS)
def test_the_shipped_example_is_a_profile(batch_system):
    assert (
        read_profile(find_template(f"{batch_system}/mycluster.yaml")).batch_system == batch_system
    )


def test_everything_wrong_is_said_at_once_with_its_line(write_profile):
    path = write_profile(
        "batch_system: slrum\n"
        "mode: reserve\n"
        "resources:\n"
        "  cores: many\n"
        "  walltime: 12\n"
        "  memory: 3 eV\n"
        "stages: {dynamic: {nodes: 2}}\n"
        "limits: {queued: 0}\n"
        "moduls: [a]\n"
    )
    with pytest.raises(InputError) as raised:
        read_profile(path)
    text = str(raised.value)
    assert text.startswith("8 problems in this cluster profile:")
    for line in (1, 2, 4, 5, 6, 7, 8, 9):
        assert f"{path}, line {line}: " in text
    assert "did you mean 'slurm'?" in text and "did you mean 'modules'?" in text


@pytest.mark.parametrize(
    "more",
    [
        "modules: ['cp2k; rm -rf /']",
        "modules: ['$(id)']",
        "stages: {own: {partition: 'debug; id'}}",
        "stages: {own: {partition: '--wrap=id'}}",
        "stages: {own: {account: 'a b'}}",
        "launch: {cp2k: 'srun cp2k.psmp; id'}",
        "launch: {cp2k: 'srun `id`'}",
        "data: {cp2k: relative/folder}",
        "scratch: tmp",
        'scratch: "/tmp/a\\nid"',
        "qdcomp: 'qdcomp | tee log'",
        "setup: ['export TMPDIR=/tmp/$$']",
        'setup: ["a\\nb"]',
    ],
)
def test_what_a_shell_would_read_otherwise_is_refused(write_profile, more):
    assert "line 3" in complaints(write_profile, more)


@pytest.mark.parametrize(
    "uri",
    ["mongodb://me:hunter2@host/db", "mongodb://host/db?tlsCertificateKeyFilePassword=hunter2"],
)
def test_a_password_in_a_profile_is_refused_and_not_repeated(write_profile, uri):
    text = complaints(write_profile, f"launchpad: {uri}")
    assert "password" in text and "launchpad_file" in text and "QDCOMP_LAUNCHPAD" in text
    assert "hunter2" not in text


def test_ranks_have_to_share_the_cores_of_a_node(write_profile):
    assert "divides the cores" in complaints(write_profile, "stages: {own: {cores: 8, threads: 3}}")


def test_partition_and_queue_are_one_thing(write_profile):
    assert "another word" in complaints(
        write_profile, "stages: {own: {partition: debug, queue: debug}}"
    )


@pytest.mark.parametrize("batch_system", ["pbs", "lsf"])
def test_a_batch_system_with_queues_needs_the_name_of_one(write_profile, batch_system):
    text = f"batch_system: {batch_system}\nresources: {{cores: 1, walltime: 1 h}}\n"
    with pytest.raises(InputError, match="queue"):
        read_profile(write_profile(text))


def test_a_file_that_is_no_profile_is_named(tmp_path):
    path = tmp_path / "mycluster.yaml"
    with pytest.raises(InputError, match="cluster example"):
        read_profile(path)
    path.write_text("- a\n")
    with pytest.raises(ParseError, match="a cluster profile is a list"):
        read_profile(path)


def test_a_run_that_was_not_handed_over_says_how(tmp_path):
    with pytest.raises(InputError, match="--cluster"):
        find_profile(tmp_path)
