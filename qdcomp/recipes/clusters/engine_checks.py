"""Whether the engines are there: binaries, basis sets, pseudopotentials, modules."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from qdcomp.engines.cp2k import settings as cp2k_settings
from qdcomp.engines.cp2k import species as cp2k_species
from qdcomp.engines.vasp import potcar
from qdcomp.engines.vasp import settings as vasp_settings
from qdcomp.errors import BatchError, QdcompError
from qdcomp.recipes.clusters.finding import Finding, Site
from qdcomp.recipes.clusters.login_shell import load_module, run_in_shell
from qdcomp.recipes.clusters.process_environment import set_variables

ELEMENTS = ("Cs", "Pb", "Br")
"""Elements whose basis sets and pseudopotentials are looked for."""

_DEFAULT_CP2K_DATA = "/usr/share/cp2k"
_VERSION = re.compile(r"version\s+\S+", re.IGNORECASE)


def check_modules(site: Site) -> Finding:
    """Whether each module can be loaded in a login shell."""
    what = "modules"
    names = site.profile.modules
    if not names:
        return Finding(what, "left out", "the profile names none")
    failures = {name: load_module(name) for name in names}
    wrong = [f"{name}: {reason}" for name, reason in failures.items() if reason]
    if wrong:
        return Finding(
            what,
            "wrong",
            "; ".join(wrong),
            "see which there are with: module avail; correct modules in the profile",
        )
    return Finding(what, "ok", ", ".join(names))


def check_cp2k(site: Site) -> Finding:
    """Whether CP2K's binary runs, and its version."""
    what = "cp2k binary"
    command = site.profile.launch.get("cp2k")
    if command is None:
        return Finding(what, "left out", "the profile does not launch it")
    binary = _find_binary(command, "cp2k")
    try:
        code, said = run_in_shell(site.profile, f"{shlex.quote(binary)} --version")
    except BatchError as error:
        return Finding(what, "wrong", str(error), "try it by hand: " + binary + " --version")
    version = _VERSION.search(said)
    if code or version is None:
        return Finding(
            what, "wrong", f"{binary} --version: {_shorten(said)}", _mend_binary("cp2k", binary)
        )
    return Finding(what, "ok", f"{binary}, {version[0]}")


def check_vasp(site: Site) -> Finding:
    """Whether VASP's binaries are there."""
    what = "vasp binaries"
    named = [site.profile.launch.get(name) for name in ("vasp", "vasp_gamma")]
    binaries = [_find_binary(command, "vasp") for command in named if command]
    if not binaries:
        return Finding(what, "left out", "the profile does not launch it")
    line = "; ".join(f"command -v {shlex.quote(name)} || echo no {name}" for name in binaries)
    try:
        _, said = run_in_shell(site.profile, line)
    except BatchError as error:
        return Finding(what, "wrong", str(error), "look at setup in the profile")
    missing = [name for name in binaries if f"no {name}" in said.splitlines()]
    if missing:
        return Finding(
            what, "wrong", f"no {', '.join(missing)} on the path", _mend_binary("vasp", missing[0])
        )
    return Finding(what, "ok", " ".join(said.split()))


def check_cp2k_data(site: Site) -> Finding:
    """Whether CP2K's data folder has the basis sets and pseudopotentials of the elements."""
    what = "cp2k basis sets, potentials"
    if "cp2k" not in site.profile.launch:
        return Finding(what, "left out", "the profile does not launch it")
    mend = "name the folder with BASIS_MOLOPT and GTH_POTENTIALS as data: cp2k in the profile"
    try:
        named = run_in_shell(site.profile, 'echo "$CP2K_DATA_DIR"')[1].splitlines()
        folder = Path(next(filter(None, reversed(named)), _DEFAULT_CP2K_DATA))
        if not folder.is_dir():
            return Finding(what, "wrong", f"{folder} is no folder", mend)
        species, _ = cp2k_species.choose_species(
            [(symbol, False) for symbol in ELEMENTS], cp2k_settings.read_settings({}), folder
        )
    except QdcompError as error:
        return Finding(what, "wrong", str(error), mend)
    return Finding(what, "ok", ", ".join(f"{one.symbol} {one.basis}" for one in species))


def check_vasp_data(site: Site) -> Finding:
    """Whether VASP's folder of PAW data sets has those of the elements."""
    what = "vasp data sets (POTCAR)"
    if "vasp" not in site.profile.launch:
        return Finding(what, "left out", "the profile does not launch it")
    mend = "name the folder with Cs_sv/POTCAR as data: vasp in the profile"
    try:
        named = run_in_shell(site.profile, f'echo "${potcar.FOLDER_VARIABLE}"')[1].splitlines()
        settings = vasp_settings.read_settings({})
        with set_variables({potcar.FOLDER_VARIABLE: next(reversed(named), "")}):
            folder = potcar.require_folder(settings)
        species = potcar.choose_species(ELEMENTS, settings, folder)
    except QdcompError as error:
        return Finding(what, "wrong", str(error), mend)
    return Finding(what, "ok", f"{', '.join(one.label for one in species)} in {folder}")


def _find_binary(command: str, name: str) -> str:
    """Find the word of a launch command that is the engine's own, not the launcher's."""
    words = command.split()
    return next((word for word in words if name in Path(word).name.lower()), words[-1])


def _mend_binary(engine: str, binary: str) -> str:
    return (
        f"load its module (modules in the profile), or write the whole path of {binary} in "
        f"launch: {engine}"
    )


def _shorten(text: str) -> str:
    return " ".join(text.split())[:200] or "no output"
