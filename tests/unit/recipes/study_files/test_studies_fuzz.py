"""Whatever is in a study file, reading it ends in a study, an InputError or a ParseError."""

import copy
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdcomp.errors import InputError, ParseError
from qdcomp.recipes.plans.plan import plan_jobs
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.resources import find_study

TEXTS = {
    name: find_study(name).read_text()
    for name in ("demo", "raino2022_dot_4p2nm", "raino2022_core_shell_3p6nm", "smoke_slab_cp2k")
}
TREES = {name: yaml.safe_load(text) for name, text in TEXTS.items()}

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

numbers = st.one_of(st.integers(-(10**30), 10**30), st.floats())
units = st.sampled_from(["K", "fs", "ps", "nm", "angstrom", "meV/angstrom", "Ry", "parsec", ""])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.text(max_size=12),
    st.builds(lambda number, unit: f"{number} {unit}", numbers, units),
    st.sampled_from(
        ["none", "formal", "core_shell", "cp2k", "1 fs", "10 K", "CsPbI3", "<<", "=", "٣ K", "²"]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def list_places(tree, path=()):
    """Paths of every value in the tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from list_places(value, (*path, key))


PLACES = [(name, path) for name, tree in TREES.items() for path in list_places(tree)]


def read_or_refuse(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        study = read_study(path)
    except (InputError, ParseError) as error:
        assert str(path) in str(error)
        assert "Traceback" not in str(error)
    else:
        assert len(plan_jobs(study)) >= 2
        path.write_text(study.to_yaml(), encoding="utf-8")
        assert read_study(path).study_hash == study.study_hash


@quick
@given(
    place=st.sampled_from(PLACES), value=values, action=st.sampled_from(["set", "drop", "rename"])
)
def test_a_changed_value_or_key_is_read_or_refused(tmp_path, place, value, action):
    name, path = place
    tree = copy.deepcopy(TREES[name])
    parent = tree
    for key in path[:-1]:
        parent = parent[key]
    if action == "set":
        parent[path[-1]] = value
    else:
        old = parent.pop(path[-1])
        if action == "rename" and isinstance(parent, dict):
            parent[str(value)] = old
    read_or_refuse(tmp_path / "study.yaml", yaml.safe_dump(tree, allow_unicode=True).encode())


@quick
@given(name=st.sampled_from(list(TEXTS)), data=st.data())
def test_a_damaged_text_is_read_or_refused(tmp_path, name, data):
    content = TEXTS[name].encode()
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, min(len(content), start + 40)))
    inserted = data.draw(
        st.one_of(
            st.binary(max_size=12), st.text("{}[]:-#&*!|> \n\t'\"", max_size=8).map(str.encode)
        )
    )
    read_or_refuse(tmp_path / "study.yaml", content[:start] + inserted + content[stop:])
