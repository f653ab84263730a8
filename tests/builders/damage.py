"""Files as a kill, a full disk or a bad copy leaves them, damaged at random but from a seed."""

import random
import re
from collections import defaultdict
from collections.abc import Iterator

_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eED][-+]?\d+)?")
_IN_PLACE_OF_NUMBERS = (
    b"********", b"*", b"NaN", b"Infinity", b"", b"-", b"text", b"1e999", b"0", b"-1", b"1.2.3",
    b"99999999999999999999999", b"\xc2\xb2", b"0.5",
)  # fmt: skip


def iterate_damaged(content: bytes, count: int, seed: int, *, read: bytes = b"") -> Iterator[bytes]:
    """Copies of a file, each damaged in a way of its own, and now and then in a second one.

    Parameters
    ----------
    content
        The file.
    count
        How many.
    seed
        Seed of the damages.
    read
        Pattern of the lines that a reader looks at: most damages are done to them.
    """
    source = random.Random(seed)
    damages = (_change_number, _change_number, _change_number, _drop_lines, _drop_words,
               _flip_byte, _repeat_line, _join_lines)  # fmt: skip
    choice = _Choice(content, read)
    for _ in range(count):
        lines = list(choice.lines)
        for _ in range(source.choice((1, 1, 1, 1, 2))):
            at = min(choice.draw(source), max(len(lines) - 1, 0))
            if lines:
                source.choice(damages)(lines, at, source)
        damaged = b"".join(lines)
        yield damaged if source.random() < 0.8 else damaged[: source.randrange(len(damaged) + 1)]


class _Choice:
    """Draws lines, each kind of line being as likely as any other, however few it has."""

    def __init__(self, content: bytes, read: bytes) -> None:
        self.lines = content.splitlines(keepends=True)
        pattern = re.compile(read)
        kinds: tuple[dict[bytes, list[int]], ...] = (defaultdict(list), defaultdict(list))
        for number, line in enumerate(self.lines):
            looked_at = bool(read and pattern.search(line))
            kinds[looked_at][_NUMBER.sub(b"", line).strip()[:40]].append(number)
        self._kinds = [list(numbers.values()) for numbers in kinds]

    def draw(self, source: random.Random) -> int:
        """Number of a line."""
        others, looked_at = self._kinds
        kinds = looked_at if looked_at and (not others or source.random() < 0.8) else others
        return source.choice(source.choice(kinds))


def _change_number(lines: list[bytes], at: int, source: random.Random) -> None:
    found = list(_NUMBER.finditer(lines[at]))
    if found:
        start, end = source.choice(found).span()
        lines[at] = lines[at][:start] + source.choice(_IN_PLACE_OF_NUMBERS) + lines[at][end:]


def _drop_lines(lines: list[bytes], at: int, source: random.Random) -> None:
    del lines[at : at + source.choice((1, 1, 2, 10))]


def _drop_words(lines: list[bytes], at: int, source: random.Random) -> None:
    words = lines[at].split(b" ")
    lines[at] = b" ".join(words[: source.randrange(len(words) + 1)]) + b"\n"


def _flip_byte(lines: list[bytes], at: int, source: random.Random) -> None:
    line = bytearray(lines[at])
    line[source.randrange(len(line))] ^= 1 << source.randrange(8)
    lines[at] = bytes(line)


def _repeat_line(lines: list[bytes], at: int, source: random.Random) -> None:
    lines.insert(at, lines[at])


def _join_lines(lines: list[bytes], at: int, source: random.Random) -> None:
    lines[at] = lines[at].rstrip(b"\r\n")
