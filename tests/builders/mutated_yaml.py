"""YAML files as an enemy, a careless editor or a damaged disk would make them of good ones.

The same seed gives the same files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

MARKER = "pwned"
"""File that the planted commands would make."""

COMMANDS = (
    f"x;$(touch {MARKER})",
    f"`touch {MARKER}`",
    f"x | touch {MARKER}",
    f"x && touch {MARKER} #",
    f"'; touch {MARKER}; '",
    f'"; touch {MARKER}; "',
    f"__import__('os').system('touch {MARKER}')",
    f"{{{{ ''.__class__.__mro__[1].__subclasses__() }}}} {{% raw %}} touch {MARKER}",
    f"<script>touch {MARKER}</script>",
    f"../../../../tmp/{MARKER}",
    f"/etc/passwd\n@INCLUDE /etc/passwd\ntouch {MARKER}",
    "${HOME}%s%n%x{0.__class__}",
)

TAGS = (
    f"!!python/object/apply:os.system ['touch {MARKER}']",
    f"!!python/object/new:subprocess.Popen [['touch', '{MARKER}']]",
    "!!python/name:os.system",
    "!!python/module:antigravity",
    "!!binary R0lGODlhDAAMAIQAAP",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!<tag:yaml.org,2002:python/object/apply:builtins.eval> ['1']",
    "!local 3",
    "!!float x",
    "!!timestamp 9999-99-99",
)

NUMBERS = (
    "1e308",
    "-1e308",
    "1e309",
    "9" * 400,
    "9" * 5000 + " fs",
    "1" + "0" * 30,
    "-1",
    "0",
    "0.0",
    "-0.0",
    "1e-320 K",
    "nan",
    ".inf",
    "-.inf",
    "0x7fffffffffffffff",
    "0o777",
    "1_000_000",
    "10:20:30",
    "3 parsec",
    "1e99999999999 eV",
    "2147483648",
    "[0, 0, 0]",
    "٣",
)

TEXTS = (
    "",
    "~",
    "null",
    "yes",
    "=",
    "<<",
    "'",
    '"',
    "\\",
    "%",
    "@",
    "a" * 300,
    "C" * 5000 + "[NH3+]",
    "[NH3+]" + "C" * 900,
    "x" * 300 + ".xyz",
    "x" * 300 + ".yaml",
    "nowhere.xyz",
    "/dev/zero",
    "/dev/stdin",
    "/proc/self/environ.xyz",
    "\u202egnp.exe",
    "\u2028\u2029",
    "\ufeff",
    "𝔡𝔬𝔱 💥 ﷽",
    '"\\x1b[2J\\x07"',
    '"\\0"',
    '"\\uD800"',
    "2022-13-45",
    "[[[[[[[[]]]]]]]]",
    "{a: {b: {c: [1, {d: e}]}}}",
    "- - - - 1",
    "? x",
    "|\n  a\n  b",
    ">-\n  folded",
)

CHARACTERS = "{}[]:-#&*!|>'\"%@`,?\\\t\n\r \x00\x07\x1b\x7f\x85\u00a0\u2028\ufeff\ud7ff😀"

_PAIR = re.compile(r"(?P<key>[A-Za-z_][\w.-]*):[ ](?P<value>[^\n,{}\[\]#]+)")


def mutate(text: str, random: Random) -> bytes:
    """Damage a YAML text once, twice or three times, each time in another way."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        text = random.choice(MUTATIONS)(text, random)
    content = text.encode("utf-8", errors="surrogatepass")
    return _damage_bytes(content, random) if random.random() < 0.1 else content


def _damage_bytes(content: bytes, random: Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(random.randint(1, 8)):
        place = random.randrange(len(damaged) + 1)
        if random.random() < 0.5 or place == len(damaged):
            damaged.insert(place, random.randrange(256))
        else:
            damaged[place] = random.randrange(256)
    return bytes(damaged)


def _set_value(choices: tuple[str, ...]) -> Callable[[str, Random], str]:
    def change(text: str, random: Random) -> str:
        return _replace_value(text, random, lambda value: random.choice(choices))

    return change


def _replace_value(text: str, random: Random, make: Callable[[str], str]) -> str:
    pairs = list(_PAIR.finditer(text))
    if not pairs:
        return text
    pair = random.choice(pairs)
    return text[: pair.start("value")] + make(pair["value"]) + text[pair.end("value") :]


def _quote_command(text: str, random: Random) -> str:
    """Put a command into a value so that it is one text whatever it holds."""
    command = random.choice(COMMANDS)
    quoted = '"' + command.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return _replace_value(text, random, lambda value: random.choice((command, quoted)))


def _change_number(text: str, random: Random) -> str:
    factor = random.choice(("0", "00", "e3", "e30", "-", "."))
    return _replace_value(
        text, random, lambda value: re.sub(r"(\d)", rf"\g<1>{factor}", value, count=1)
    )


def _damage_key(text: str, random: Random) -> str:
    pairs = list(_PAIR.finditer(text))
    if not pairs:
        return text
    pair = random.choice(pairs)
    key = pair["key"]
    changed = random.choice(
        (
            key[:-1],
            key.upper(),
            key + key[-1],
            "<<",
            f'"{key}\\x1b]0;"',
            "? [a, b]\n",
            random.choice(COMMANDS[:4]),
            "__class__",
            "key" * 200,
            "",
        )
    )
    return text[: pair.start("key")] + changed + text[pair.end("key") :]


def _damage_lines(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    place = random.randrange(len(lines))
    other = random.randrange(len(lines))
    match random.randrange(6):
        case 0:
            del lines[place : place + random.randint(1, 4)]
        case 1:
            lines.insert(other, lines[place])
        case 2:
            lines[place], lines[other] = lines[other], lines[place]
        case 3:
            lines[place] = " " * random.randint(1, 5) + lines[place]
        case 4:
            lines[place] = lines[place].lstrip()
        case _:
            lines = lines[:place]
    return "".join(lines)


def _damage_characters(text: str, random: Random) -> str:
    start = random.randrange(len(text) + 1)
    stop = min(len(text), start + random.choice((0, 0, 1, 10, 60)))
    inserted = "".join(random.choices(CHARACTERS, k=random.randint(0, 6)))
    return text[:start] + inserted + text[stop:]


def _nest(text: str, random: Random) -> str:
    depth = random.choice((3, 15, 25, 1000, 20000))
    opening, closing = random.choice(
        (("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("(", ")"))
    )
    return _replace_value(text, random, lambda value: opening * depth + value + closing * depth)


def _laugh(text: str, random: Random) -> str:
    """Aliases of aliases: nine lines that would unfold to a billion texts."""
    lines = [f"l0: &l0 [{', '.join(['lol'] * 10)}]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 10)]
    laughs = "\n".join(lines) + "\n"
    anchored = _replace_value(text, random, lambda value: random.choice(("*l9", f"&a {value}")))
    return random.choice(
        (laughs + anchored, anchored, text + "\nx: &x [*x]\n", text + "\n<<: *y\n")
    )


def _lengthen(text: str, random: Random) -> str:
    match random.randrange(4):
        case 0:
            return text + "".join(f"extra{i}: {i}\n" for i in range(random.choice((10, 5000))))
        case 1:
            return text + "#" * random.choice((1000, 1_000_001))
        case 2:
            return _replace_value(text, random, lambda value: f"[{(value + ', ') * 2000}]")
        case _:
            return _replace_value(text, random, lambda value: value * 3000)


def _add_documents(text: str, random: Random) -> str:
    ends = ("\n---\n" + text, "\n...\nrest", "\n%TAG ! tag:x\n---\na: 1", "\n--- !!python/none\n")
    return text + random.choice(ends)


MUTATIONS: tuple[Callable[[str, Random], str], ...] = (
    _quote_command,
    _quote_command,
    _set_value(TAGS),
    _set_value(NUMBERS),
    _set_value(NUMBERS),
    _set_value(TEXTS),
    _set_value(TEXTS),
    _change_number,
    _damage_key,
    _damage_lines,
    _damage_characters,
    _nest,
    _laugh,
    _lengthen,
    _add_documents,
)
"""Every way of damage; those that get furthest into the reading are there twice."""
