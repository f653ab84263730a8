"""A YAML file as nodes that know their lines; every problem in it is noted, none stops the reading.

Only plain YAML is read: mappings, lists and scalars. Tags that make objects, anchors and aliases
are refused. Scalars keep the text that was written, so that ``1e-8`` is a number (YAML 1.1 says it
is a text) and ``10:20`` is not one (YAML 1.1 says it is 620).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from qdcomp.errors import InputError, ParseError
from qdcomp.plain_yaml import describe_syntax_error, line_of, refuse_unusual_yaml
from qdcomp.recipes.study_files.quantities import (
    Dimension,
    find_dimension,
    parse_for_key,
    parse_quantity,
    split_quantity,
    suggest_nearest,
)

MAX_PROBLEMS = 40
"""Most problems of a file that are told at once."""

MAX_TOLD = 700
"""Longest description of a problem, in characters."""

_SCALAR_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp")
}
_NULL_TAG = "tag:yaml.org,2002:null"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of writing, and halves of characters: none is
seen in an editor, and a terminal or a file name would act on it."""
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass
class Problems:
    """What is wrong with one file, with the lines.

    Attributes
    ----------
    path
        The file.
    found
        Line and sentence of each problem, in the order found.
    kind
        What the file is.
    """

    path: Path
    found: list[tuple[int, str]] = field(default_factory=list)
    kind: str = "study"

    def add(self, line: int, message: str) -> None:
        """Note a problem."""
        shown = message if len(message) <= MAX_TOLD else f"{message[:MAX_TOLD]} …"
        self.found.append((line, shown))

    def raise_if_any(self) -> None:
        """Report all problems together.

        Raises
        ------
        InputError
            If there is at least one.
        """
        if not self.found:
            return
        found = sorted(self.found)
        lines = [f"{self.path}, line {line}: {text}" for line, text in found[:MAX_PROBLEMS]]
        if len(found) > MAX_PROBLEMS:
            lines.append(f"… and {len(found) - MAX_PROBLEMS} more")
        count = "" if len(found) == 1 else f"{len(found)} problems in this {self.kind}:\n"
        raise InputError(count + "\n".join(lines))


def compose_document(path: Path, text: str, kind: str = "study") -> yaml.MappingNode:
    """Compose the YAML `text` of the file `path`, which is a `kind`, into its node.

    Raises
    ------
    ParseError
        The text is not YAML, or YAML that such a file may not use.
    """
    refuse_unusual_yaml(text, path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise describe_syntax_error(error, text, path) from None
    if not isinstance(node, yaml.MappingNode):
        raise ParseError(f"a {kind} is a list of 'key: value' lines; found none", path, 1)
    return node


def read_document(path: Path, text: str, *, kind: str = "study") -> tuple[Section, Problems]:
    """Read the YAML `text` of `path`, which is a `kind`: its mapping, and where problems are noted.

    Raises
    ------
    ParseError
        As `compose_document`.
    """
    problems = Problems(path, kind=kind)
    return Section(compose_document(path, text, kind), "", problems), problems


class Section:
    """One mapping of the file: its keys are taken one by one, the rest is unknown.

    Every ``take_…`` returns None where the key is absent or wrong; what is wrong is noted.

    Parameters
    ----------
    node
        The mapping.
    name
        Its path in the file, ``structure.shell``; empty for the whole file.
    problems
        Where problems are noted.
    """

    def __init__(self, node: yaml.MappingNode, name: str, problems: Problems) -> None:
        self.name = name
        self.line = line_of(node)
        self.problems = problems
        self._values: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        self._known: list[str] = []
        self._missing: dict[str, str] = {}
        for key, value in node.value:
            self._enter(key, value)

    def _enter(self, key: yaml.Node, value: yaml.Node) -> None:
        line = line_of(key)
        if not isinstance(key, yaml.ScalarNode):
            self.problems.add(line, f"{self._place()}a key must be a word")
        elif _UNPRINTABLE.search(key.value):
            self.problems.add(line, f"{self._place()}the key {_describe_unprintable(key.value)}")
        elif key.value in self._values:
            first = self._lines[key.value]
            self.problems.add(line, f"{self._path(key.value)}: given twice (first in line {first})")
        else:
            self._values[key.value] = value
            self._lines[key.value] = line

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def _place(self) -> str:
        return f"{self.name}: " if self.name else ""

    def complain(self, key: str, message: str) -> None:
        """Note what is wrong with the value of `key`, or with its absence."""
        self.problems.add(self._lines.get(key, self.line), f"{self._path(key)}: {message}")

    @contextmanager
    def noting(self, key: str) -> Iterator[None]:
        """Note an `InputError` raised within as a problem of `key`."""
        try:
            yield
        except InputError as error:
            self.complain(key, str(error))

    def pass_over(self, key: str) -> None:
        """Take the keys that nobody took for known, but those that may be `key`, misspelt."""
        rest = [other for other in self._values if other not in self._known]
        self._known.extend(other for other in rest if not suggest_nearest(other, [key]))

    def finish(self) -> None:
        """Note keys that nobody took, with the nearest one that is known, and keys missing."""
        unknown = [key for key in self._values if key not in self._known]
        known = ", ".join(self._known)
        for key in unknown:
            hint = suggest_nearest(key, self._known)
            self.complain(key, f"unknown key{hint} (keys here: {known})")
        for key, example in self._missing.items():
            if not any(suggest_nearest(other, [key]) for other in unknown):
                self.complain(key, f"missing; write it like {key}: {example}")

    def _take(self, key: str, required: str = "") -> yaml.Node | None:
        self._known.append(key)
        node = self._values.get(key)
        if node is None:
            if required:
                self._missing[key] = required
            return None
        if node.tag != _NULL_TAG:
            return node
        if required:
            self.complain(key, f"empty; write it like {key}: {required}")
        return None

    def take_section(self, key: str, required: str = "") -> Section | None:
        """Take the mapping under `key`."""
        node = self._take(key, required)
        return None if node is None else self._as_section(node, self._path(key))

    def take_sections(self, key: str, required: str = "") -> list[Section]:
        """Take the list of mappings under `key`."""
        node = self._take(key, required)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.complain(key, "expected a list: one '- key: value, …' entry a line")
            return []
        entries = [
            self._as_section(item, f"{self._path(key)}[{index}]")
            for index, item in enumerate(node.value, start=1)
        ]
        return [entry for entry in entries if entry is not None]

    def _as_section(self, node: yaml.Node, name: str) -> Section | None:
        if isinstance(node, yaml.MappingNode):
            return Section(node, name, self.problems)
        found = "a list" if isinstance(node, yaml.SequenceNode) else repr(node.value)
        line = line_of(node)
        self.problems.add(line, f"{name}: expected 'key: value' lines, got {found}")
        return None

    def take_text(self, key: str, required: str = "") -> str | None:
        """Take the text under `key`."""
        node = self._take(key, required)
        return None if node is None else self._read_scalar(node, self._path(key))

    def _read_scalar(self, node: yaml.Node, name: str) -> str | None:
        line = line_of(node)
        if not isinstance(node, yaml.ScalarNode):
            self.problems.add(line, f"{name}: expected one value, got a list or mapping")
        elif node.tag not in _SCALAR_TAGS:
            self.problems.add(line, f"{name}: tag {node.tag!r} is not used in studies")
        elif _UNPRINTABLE.search(node.value):
            self.problems.add(line, f"{name}: {_describe_unprintable(node.value)}")
        else:
            return str(node.value)
        return None

    def take_choice(self, key: str, choices: tuple[str, ...], required: str = "") -> str | None:
        """Take the word under `key`, one of `choices`."""
        text = self.take_text(key, required)
        if text is None or text in choices:
            return text
        self.complain(
            key, f"{text!r} is none of {', '.join(choices)}{suggest_nearest(text, choices)}"
        )
        return None

    def take_flag(self, key: str) -> bool | None:
        """Take true or false."""
        text = self.take_text(key)
        if text is None:
            return None
        if text.lower() not in _BOOLEANS:
            self.complain(key, f"expected true or false, got {text!r}")
        return _BOOLEANS.get(text.lower())

    def take_integer(
        self, key: str, minimum: int, maximum: int | None = None, required: str = ""
    ) -> int | None:
        """Take the whole number under `key`, from `minimum` to `maximum`."""
        text = self.take_text(key, required)
        if text is None:
            return None
        try:
            number = int(text[:20])
        except ValueError:
            self.complain(key, f"expected a whole number, got {text!r}")
            return None
        if number < minimum or (maximum is not None and number > maximum):
            top = "" if maximum is None else f" and at most {maximum}"
            self.complain(key, f"must be at least {minimum}{top}, got {text}")
            return None
        return number

    def take_number(self, key: str, required: str = "") -> float | None:
        """Take the number without unit under `key`."""
        text = self.take_text(key, required)
        if text is None:
            return None
        number, unit = split_quantity(text)
        if number is None or unit:
            self.complain(key, f"expected a number without a unit, got {text!r}")
            return None
        return number

    def take_quantity(self, key: str, dimension: Dimension, required: bool = False) -> float | None:
        """Take the positive quantity under `key`, in internal units."""
        text = self.take_text(key, dimension.example if required else "")
        return None if text is None else self.read_quantity(key, text, dimension)

    def take_quantities(
        self, key: str, dimension: Dimension, required: bool = False
    ) -> tuple[float, ...]:
        """Take the positive quantities under `key`: a list or a single one."""
        node = self._take(key, f"[{dimension.example}]" if required else "")
        if node is None:
            return ()
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        texts = [self._read_scalar(item, self._path(key)) for item in items]
        values = [self.read_quantity(key, text, dimension) for text in texts if text is not None]
        if not items:
            self.complain(key, f"empty list; write at least one, like [{dimension.example}]")
        return tuple(value for value in values if value is not None)

    def take_displacements(self, key: str, dimension: Dimension) -> tuple[float, ...]:
        """Take the quantities under `key`, which may be negative or zero, in internal units."""
        values = []
        for text in self.take_texts(key):
            with self.noting(key):
                values.append(parse_quantity(text, dimension))
        return tuple(values)

    def take_texts(self, key: str) -> tuple[str, ...]:
        """Take the texts under `key`: a list or a single one."""
        node = self._take(key)
        if node is None:
            return ()
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        texts = [self._read_scalar(item, self._path(key)) for item in items]
        return tuple(text for text in texts if text is not None)

    def take_integers(
        self, key: str, minimum: int, maximum: int, count: int | None = None
    ) -> tuple[int, ...] | None:
        """Take the whole numbers under `key`, `count` of them where it is given."""
        texts = self.take_texts(key)
        if not texts:
            return None
        allowed = all(re.fullmatch(r"\d{1,6}", text, re.ASCII) for text in texts)
        numbers = tuple(int(text) for text in texts) if allowed else ()
        wanted = f"{count} whole numbers" if count else "whole numbers"
        if (count or len(texts)) != len(numbers) or not all(
            minimum <= number <= maximum for number in numbers
        ):
            self.complain(
                key,
                f"expected {wanted} from {minimum} to {maximum}, got {', '.join(texts)}",
            )
            return None
        return numbers

    def read_quantity(self, key: str, text: str, dimension: Dimension) -> float | None:
        """Read `text`, the value of `key`, as a positive quantity in internal units."""
        with self.noting(key):
            value = parse_quantity(text, dimension)
            if 0.0 < value < float("inf"):
                return value
            raise InputError(f"{dimension.indefinite} must be positive and finite, got {text!r}")
        return None

    def take_everything(self) -> dict[str, object]:
        """Take the keys that nobody took yet, quantities as `parse_for_key` reads them."""
        rest = {key: node for key, node in self._values.items() if key not in self._known}
        self._known.extend(rest)
        return {key: self._read_value(node, key) for key, node in rest.items()}

    def _read_value(self, node: yaml.Node, key: str) -> object:
        if isinstance(node, yaml.MappingNode):
            return Section(node, self._path(key), self.problems).take_everything()
        if isinstance(node, yaml.SequenceNode):
            return [self._read_value(item, key) for item in node.value]
        text = self._read_scalar(node, self._path(key))
        if text is None or node.tag == _NULL_TAG:
            return None
        if isinstance(node, yaml.ScalarNode) and node.style in {"'", '"', "|", ">"}:
            return text
        return self._interpret(text, key)

    def _interpret(self, text: str, key: str) -> object:
        if text.lower() in _BOOLEANS:
            return _BOOLEANS[text.lower()]
        number, unit = split_quantity(text)
        if number is None:
            return text
        if not unit:
            return int(text) if text.strip().lstrip("+-").isdigit() else number
        if find_dimension(unit) is None and " " not in text:
            return text  # a name such as 3D or 6-31G
        with self.noting(key):
            return parse_for_key(text, key)
        return None


def _describe_unprintable(text: str) -> str:
    return f"{text!r} has a character that cannot be seen; remove it"
