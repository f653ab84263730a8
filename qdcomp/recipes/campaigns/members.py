"""The members of a sweep: one study for each combination of its values, all checked beforehand."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from qdcomp.errors import EngineError, InputError
from qdcomp.recipes.campaigns.sweep_section import Axis, Sweep, take_sweep
from qdcomp.recipes.plans.checks import check_study
from qdcomp.recipes.study_files.studies import LONGEST_NAME, open_study_file, read_study_node
from qdcomp.recipes.study_files.study_document import Problems
from qdcomp.recipes.study_files.study_schema import Study

_MOST_REFUSED = 10
"""Members with problems after which no more are tried: the others have the same, mostly."""


@dataclass(frozen=True)
class Member:
    """One study of a sweep.

    Attributes
    ----------
    study
        The study, with a name of its own.
    values
        What the sweep sets in it, by the dotted path of the setting.
    group
        Name that the members which differ only in the seed have in common.
    """

    study: Study
    values: Mapping[str, str]
    group: str


@dataclass(frozen=True)
class MemberList:
    """What a study file holds.

    Attributes
    ----------
    name, engine
        Name of the study, and the engine that computes it.
    source
        The file.
    sweep
        Its sweep; None where it has none, and its only member is the study itself.
    members
        All of them, in the order of the sweep, seeds last.
    """

    name: str
    engine: str
    source: Path
    sweep: Sweep | None
    members: tuple[Member, ...]

    @property
    def groups(self) -> dict[str, tuple[Member, ...]]:
        """Members that differ only in the seed, by the name they have in common."""
        groups: dict[str, tuple[Member, ...]] = {}
        for member in self.members:
            groups[member.group] = (*groups.get(member.group, ()), member)
        return groups


def read_members(
    path: Path | str, *, engine: str | None = None, reuse: bool | None = None
) -> MemberList:
    """Read and check a study and every member of its sweep, if it has one.

    Parameters
    ----------
    path
        A YAML file; `qdcomp.resources.find_study` finds a shipped one by its name.
    engine
        Engine to use instead of the one that the file names.
    reuse
        Whether finished jobs of other runs are taken over; None leaves it to the file.

    Raises
    ------
    InputError
        The file is missing, or asks for something impossible; every problem with its line, those
        of members with the line of the sweep and the name of the member.
    ParseError
        The file is not YAML.
    """
    path = Path(path)
    content, node = open_study_file(path)
    problems = Problems(path)
    rest, sweep = take_sweep(node, problems)
    if sweep is None:
        study = _set_reuse(read_study_node(rest, problems, content, engine=engine), reuse)
        return MemberList(study.name, study.engine, path, None, (Member(study, {}, study.name),))
    problems.raise_if_any()
    found = list(_read_groups(rest, sweep, content, problems, engine))
    problems.raise_if_any()
    name = found[0].group.removesuffix(_join_labels(_list_combinations(sweep)[0]))
    members = tuple(
        replace(seeded, study=_set_reuse(seeded.study, reuse))
        for member in found
        for seeded in _seed(member, sweep)
    )
    _check_names(members, sweep, problems)
    return MemberList(name, members[0].study.engine, path, sweep, members)


def check_members(found: MemberList) -> tuple[str, ...]:
    """Ask the engine whether it can do every job of every member; return what to know of them.

    Of members that differ only in the seed, one is asked about.

    Raises
    ------
    InputError
        A structure cannot be built, or the engine cannot do what a member asks for.
    EngineError
        The engine's code is not installed.
    """
    if found.sweep is None:
        return check_study(found.members[0].study)
    warnings: dict[str, list[str]] = {}
    problems = Problems(found.source)
    for name, members in found.groups.items():
        try:
            for warning in check_study(members[0].study):
                warnings.setdefault(warning, []).append(name)
        except EngineError:
            raise
        except InputError as error:
            problems.add(found.sweep.line, f"the member {name} of the sweep: {error}")
        if len(problems.found) == _MOST_REFUSED:
            break
    problems.raise_if_any()
    return tuple(
        warning if len(names) == len(found.groups) else f"{_name_few(names)}: {warning}"
        for warning, names in warnings.items()
    )


def _set_reuse(study: Study, reuse: bool | None) -> Study:
    return study if reuse is None else replace(study, reuse=reuse)


def _name_few(names: list[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _list_combinations(sweep: Sweep) -> list[tuple[tuple[Axis, int], ...]]:
    """Every combination of values, each as axes with the number of the value, without seeds."""
    choices = [[(axis, number) for number in range(len(axis.nodes))] for axis in sweep.axes]
    return list(itertools.product(*choices))


def _join_labels(combination: tuple[tuple[Axis, int], ...]) -> str:
    return "".join(f"-{axis.labels[number]}" for axis, number in combination)


def _read_groups(
    rest: yaml.MappingNode,
    sweep: Sweep,
    content: bytes,
    problems: Problems,
    engine: str | None,
) -> Iterator[Member]:
    """Read a member for each combination, with the study's own seed; what is wrong is noted."""
    refused: dict[str, list[tuple[int, str]]] = {}
    tried = 0
    for combination in _list_combinations(sweep):
        tried += 1
        own = Problems(problems.path)
        node = rest
        for axis, number in combination:
            node = _place(node, axis.path, axis.nodes[number], axis, own)
        label = _join_labels(combination)
        try:
            own.raise_if_any()
            study = read_study_node(node, own, content, engine=engine)
        except InputError:
            if not own.found:
                raise
            refused[label] = own.found
            if len(refused) == _MOST_REFUSED:
                break
            continue
        group = f"{study.name}{label}"
        values = {axis.name: str(axis.nodes[number].value) for axis, number in combination}
        yield Member(replace(study, name=group), values, group)
    _note_refused(refused, tried, sweep, problems)


def _note_refused(
    refused: Mapping[str, list[tuple[int, str]]], tried: int, sweep: Sweep, problems: Problems
) -> None:
    """Note what is wrong with members; what is wrong with each of them is wrong with the study."""
    counts = Counter(problem for found in refused.values() for problem in set(found))
    for problem in [problem for problem, count in counts.items() if count == tried]:
        problems.add(*problem)
    for label, found in refused.items():
        for line, text in found:
            if counts[line, text] == tried:
                continue
            inside = sweep.line <= line <= sweep.last_line
            where = "" if inside else f" (line {line})"
            member = f"the member …{label} of the sweep: {text}{where}"
            problems.add(line if inside else sweep.line, member)
    if len(refused) == _MOST_REFUSED:
        problems.add(sweep.line, "and so on: members after these were not tried")


def _place(
    node: yaml.MappingNode,
    path: tuple[str, ...],
    value: yaml.ScalarNode,
    axis: Axis,
    problems: Problems,
) -> yaml.MappingNode:
    """Copy a study with the value at a path; its key stands in the line of the sweep then."""
    key = yaml.ScalarNode("tag:yaml.org,2002:str", path[0], value.start_mark, value.end_mark)
    there = {known.value: (known, old) for known, old in node.value if _is_key(known)}
    placed: yaml.Node = value
    if len(path) > 1:
        key, inner = there.get(path[0], (key, None))
        if inner is None or (isinstance(inner, yaml.ScalarNode) and inner.value in _EMPTY):
            inner = yaml.MappingNode("tag:yaml.org,2002:map", [], value.start_mark, value.end_mark)
        if not isinstance(inner, yaml.MappingNode):
            line = value.start_mark.line + 1
            problems.add(line, f"{axis.name}: {path[0]} is no section with settings of its own")
            return node
        placed = _place(inner, path[1:], value, axis, problems)
    others = [(known, old) for known, old in node.value if not _has_value(known, path[0])]
    return yaml.MappingNode(node.tag, [*others, (key, placed)], node.start_mark, node.end_mark)


_EMPTY = ("", "null", "~")


def _is_key(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode)


def _has_value(node: yaml.Node, word: str) -> bool:
    return _is_key(node) and node.value == word


def _seed(member: Member, sweep: Sweep) -> Iterator[Member]:
    """Make the members that differ from one only in the seed."""
    if not sweep.seeds:
        yield member
    for seed, label in sweep.seeds:
        study = replace(member.study, name=f"{member.group}-{label}", seed=seed)
        yield Member(study, {**member.values, "seed": str(seed)}, member.group)


def _check_names(members: tuple[Member, ...], sweep: Sweep, problems: Problems) -> None:
    longest = max((member.study.name for member in members), key=len)
    if len(longest) > LONGEST_NAME:
        problems.add(
            sweep.line,
            f"the member {longest} has a name of {len(longest)} characters, and a study at most "
            f"{LONGEST_NAME}; give the study a shorter name",
        )
    problems.raise_if_any()


def describe_members(found: MemberList) -> str:
    """Say how many members there are, ``15 members: 3 × structure.cells, 5 × seed``."""
    if found.sweep is None:
        return "one study"
    parts = [f"{len(axis.nodes)} × {axis.name}" for axis in found.sweep.axes]
    if found.sweep.seeds:
        parts.append(f"{len(found.sweep.seeds)} × seed")
    return f"{len(found.members)} members: {', '.join(parts)}"
