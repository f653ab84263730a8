"""The section ``sweep`` of a study: which of its settings take which values.

It is read as YAML nodes, which know their lines: a value that is put into a member's study still
tells the line of the sweep that it stands in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import yaml

from qdcomp.recipes.jobs.planned_job import derive_seed
from qdcomp.recipes.study_files.studies import LARGEST_SEED, SWEEP_KEY
from qdcomp.recipes.study_files.study_document import Problems

MAX_MEMBERS = 10_000
"""Most members of a sweep."""

SHORT_PATHS = {"sizes": "structure.cells", "ligands": "ligand.name"}
"""Settings that a sweep has a word for."""

SEEDS = "seeds"

NOT_SWEPT = {
    "name": "each member has its own",
    "description": "all members have the study's",
    "recipe": "a campaign is of one recipe",
    "engine": "run the study once with each engine: --engine",
    "seed": f"write {SEEDS}: 5, or a list",
    "priority": "all members have the study's",
    "reuse": "all members have the study's",
    SWEEP_KEY: "a sweep has no sweep",
}
"""Settings that a sweep does not reach, and what to do."""

_PATH = re.compile(r"\w+(\.\w+)*", re.ASCII)
_INTEGER = re.compile(r"\d{1,10}", re.ASCII)
_LONGEST_LABEL = 24


@dataclass(frozen=True)
class Axis:
    """One setting of a sweep.

    Attributes
    ----------
    path
        The setting, as keys from the top of the study.
    nodes
        Its values, as they stand in the file.
    labels
        What each value is called in the name of a member.
    """

    path: tuple[str, ...]
    nodes: tuple[yaml.ScalarNode, ...]
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        """Path with dots, ``structure.cells``."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Sweep:
    """The settings of a sweep with their values.

    Attributes
    ----------
    line, last_line
        Lines of the file that it stands in.
    axes
        Settings in the order of the file.
    seeds
        Seeds, each with its label; empty where all members have the study's.
    """

    line: int
    last_line: int
    axes: tuple[Axis, ...]
    seeds: tuple[tuple[int, str], ...]

    @property
    def n_members(self) -> int:
        """Number of members."""
        total = max(len(self.seeds), 1)
        for axis in self.axes:
            total *= len(axis.nodes)
        return total


def take_sweep(node: yaml.MappingNode, problems: Problems) -> tuple[yaml.MappingNode, Sweep | None]:
    """Take the sweep out of a study; what is wrong with it is noted.

    Returns
    -------
    The study without it, and the sweep: None where there is none, or it is not a section.
    """
    kept, sweep = [], None
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value != SWEEP_KEY:
            kept.append((key, value))
        elif sweep is not None:
            problems.add(_line(key), f"{SWEEP_KEY}: given twice (first in line {sweep.line})")
        else:
            sweep = _read_sweep(key, value, _read_own_seed(node), problems)
    rest = yaml.MappingNode(node.tag, kept, node.start_mark, node.end_mark)
    return rest, sweep


def _line(node: yaml.Node) -> int:
    return 1 if node.start_mark is None else int(node.start_mark.line) + 1


def _read_own_seed(node: yaml.MappingNode) -> int:
    """Seed of the study, from which others are derived; a wrong one is noted with the members."""
    for key, value in node.value:
        if key.value == "seed" and isinstance(value, yaml.ScalarNode):
            return int(value.value) if _INTEGER.fullmatch(value.value) else 1
    return 1


def _read_sweep(key: yaml.Node, node: yaml.Node, seed: int, problems: Problems) -> Sweep:
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.add(
            _line(key), f"{SWEEP_KEY}: expected 'setting: [value, value]' lines, sizes: [3, 4, 5]"
        )
        return Sweep(_line(key), _line(key), (), ())
    axes: list[Axis] = []
    seeds: tuple[tuple[int, str], ...] = ()
    for setting, values in node.value:
        if setting.value == SEEDS:
            seeds = _read_seeds(setting, values, seed, problems)
            continue
        axis = _read_axis(setting, values, problems)
        if axis is None:
            continue
        if any(axis.path == other.path for other in axes):
            problems.add(_line(setting), f"{SWEEP_KEY}.{setting.value}: {axis.name} is there twice")
        axes.append(axis)
    last = max(_line(value) for axis in axes for value in axis.nodes) if axes else _line(key)
    sweep = Sweep(_line(key), last, tuple(axes), seeds)
    if sweep.n_members > MAX_MEMBERS:
        problems.add(
            sweep.line,
            f"{SWEEP_KEY}: {sweep.n_members:,} members are more than the {MAX_MEMBERS:,} that a "
            "sweep may have; leave values out, or make several studies of it",
        )
    return sweep


def _read_axis(setting: yaml.Node, values: yaml.Node, problems: Problems) -> Axis | None:
    name, line = str(setting.value), _line(setting)
    path = SHORT_PATHS.get(name, name)
    first = path.partition(".")[0]
    if not isinstance(setting, yaml.ScalarNode) or not _PATH.fullmatch(path):
        problems.add(
            line,
            f"{SWEEP_KEY}: {name!r} is no setting; write sizes, ligands, {SEEDS}, or the keys of "
            "one with dots between them: structure.composition",
        )
        return None
    if first in NOT_SWEPT:
        problems.add(line, f"{SWEEP_KEY}.{name}: not swept: {NOT_SWEPT[first]}")
        return None
    nodes = _list_scalars(name, values, problems)
    texts = [node.value for node in nodes]
    for text, count in Counter(texts).items():
        if count > 1:
            problems.add(line, f"{SWEEP_KEY}.{name}: {text} is there {count} times")
    return Axis(tuple(path.split(".")), nodes, _label_values(name, texts)) if nodes else None


def _list_scalars(name: str, values: yaml.Node, problems: Problems) -> tuple[yaml.ScalarNode, ...]:
    if not isinstance(values, yaml.SequenceNode) or not values.value:
        problems.add(_line(values), f"{SWEEP_KEY}.{name}: expected a list, like [3, 4, 5]")
        return ()
    scalars = [item for item in values.value if isinstance(item, yaml.ScalarNode)]
    if len(scalars) < len(values.value):
        problems.add(
            _line(values),
            f"{SWEEP_KEY}.{name}: each value of a sweep is a single one, and here is a list or "
            "mapping among them",
        )
        return ()
    return tuple(scalars)


def _read_seeds(
    setting: yaml.Node, values: yaml.Node, own: int, problems: Problems
) -> tuple[tuple[int, str], ...]:
    """Read the seeds: a list, or how many are derived from the study's own."""
    line = _line(setting)
    if isinstance(values, yaml.ScalarNode):
        count = int(values.value) if _INTEGER.fullmatch(values.value) else 0
        if 1 <= count <= MAX_MEMBERS:
            numbers = range(1, count + 1)
            return tuple((derive_seed(own, f"member {number}"), f"s{number}") for number in numbers)
        problems.add(
            line,
            f"{SWEEP_KEY}.{SEEDS}: expected how many seeds, 1 to {MAX_MEMBERS:,}, or a list of "
            f"them, got {values.value!r}",
        )
        return ()
    texts = [node.value for node in _list_scalars(SEEDS, values, problems)]
    allowed = [text for text in texts if _INTEGER.fullmatch(text) and int(text) <= LARGEST_SEED]
    if len(allowed) < len(texts) or len(set(map(int, allowed))) < len(texts):
        problems.add(
            line,
            f"{SWEEP_KEY}.{SEEDS}: expected different whole numbers from 0 to {LARGEST_SEED}, got "
            f"{', '.join(texts)}",
        )
        return ()
    return tuple((int(text), f"s{int(text)}") for text in allowed)


def _label_values(name: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Words for the values of a setting, each once also where case does not count."""
    prefix = {"sizes": "n", "ligands": "l"}.get(name, name.rpartition(".")[2])
    labels = [_label(prefix, text) for text in texts]
    counts = Counter(label.lower() for label in labels)
    return tuple(
        label if counts[label.lower()] == 1 else f"{label}_{number}"
        for number, label in enumerate(labels, start=1)
    )


def _label(prefix: str, text: str) -> str:
    """``3`` of cells is ``n3``, ``CsPbBr3`` is itself, ``lauryl.xyz`` is ``lauryl``."""
    stem = PurePath(text).stem if re.search(r"\.[A-Za-z]\w*$", text) else text
    word = re.sub(r"[^A-Za-z0-9.]+", "", re.sub(r"^-(?=[\d.])", "m", stem)).strip(".")
    word = word[:_LONGEST_LABEL]
    return word if re.match("[A-Za-z]{2}|[A-Z]", word) else f"{prefix}{word}"
