"""The folder of a campaign: its sweep, and a folder for the run of each member.

::

    runs/my_sweep-model/
        campaign.json         the sweep: values of each setting, and of each member
        launchpad.sqlite      the embedded launchpad of all members, or launchpad.uri
        my_sweep-n3-s1/       the run of a member, as any other run
        my_sweep-n3-s2/
        report/index.html     the page of the campaign
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdcomp.errors import InputError, StoreError
from qdcomp.recipes.campaigns.members import MemberList
from qdcomp.recipes.runs.run_directory import (
    CAMPAIGN_NAME,
    PROFILE_NAME,
    STUDY_NAME,
    RunDirectory,
    create_run,
    find_handed_over,
    open_run,
    write_study,
)

_FORM = 1  # of campaign.json


@dataclass(frozen=True)
class CampaignFolder:
    """A campaign on disk.

    Attributes
    ----------
    root
        Its folder, absolute.
    name, engine
        Name of the study with the sweep, and the engine.
    members
        What the sweep sets in each member, by the member's name, in the order of the sweep.
    study_file_sha256
        Hash of the study file that they were made from.
    """

    root: Path
    name: str
    engine: str
    members: Mapping[str, Mapping[str, str]]
    study_file_sha256: str = ""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folder of each member."""
        return tuple(self.root / name for name in self.members)


def is_campaign_folder(folder: Path) -> bool:
    """Whether a folder is that of a campaign."""
    return (folder / CAMPAIGN_NAME).is_file()


def make_runs(found: MemberList, out: Path | None = None) -> tuple[Path, tuple[RunDirectory, ...]]:
    """Make the run folders of a study, or of every member of its sweep, unless they are there.

    A damaged list of members is written anew, and so is the study of a member that lost it.

    Parameters
    ----------
    found
        The study or sweep; check it with `check_members` first.
    out
        Folder of the run or campaign; None takes ``runs/STUDY-ENGINE``.

    Returns
    -------
    The folder, absolute: of the run, or of the campaign that holds the runs; and the runs.

    Raises
    ------
    InputError
        The folder holds another study or sweep, or files that are neither.
    """
    root = (out or Path("runs") / f"{found.name}-{found.engine}").resolve()
    if found.sweep is None:
        if is_campaign_folder(root):
            raise InputError(f"{root} holds a campaign; choose another folder with --out")
        return root, (create_run(root, found.members[0].study),)
    grows = is_campaign_folder(root)
    _check_members(root, found)
    if grows:
        _restore_studies(root, found)
    else:
        _enter_members(root, found)
    runs = tuple(create_run(root / m.study.name, m.study) for m in found.members)
    if grows:  # after their folders: workers are at the members that there were
        _enter_members(root, found)
    return root, runs


def open_runs(folder: Path) -> tuple[RunDirectory, ...]:
    """Open a run, or every run of a campaign.

    Raises
    ------
    InputError
        The folder is neither.
    StoreError
        The list of members is damaged.
    """
    if not is_campaign_folder(folder):
        return (open_run(folder),)
    return tuple(_open_member(path) for path in open_campaign(folder).folders)


def open_campaign(folder: Path) -> CampaignFolder:
    """Open the folder of a campaign.

    Raises
    ------
    InputError
        It is none.
    StoreError
        Its list of members is damaged.
    """
    root = folder.resolve()
    path = root / CAMPAIGN_NAME
    if not path.is_file():
        raise InputError(
            f"{root} is not the folder of a campaign (it has no {CAMPAIGN_NAME}); make one with: "
            "qdcomp run STUDY, with a study that has a sweep"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        members = {
            _check_name(name): {str(key): str(value) for key, value in values.items()}
            for name, values in content["members"].items()
        }
        return CampaignFolder(
            root,
            str(content["name"]),
            str(content["engine"]),
            members,
            str(content["study_file_sha256"]),
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise StoreError(
            f"{path}: damaged ({error}); expected the members of the campaign. "
            f"{_say_how_to_make_again(root)}"
        ) from error


def _check_name(name: str) -> str:
    if name in ("", ".", "..") or "/" in name:
        raise ValueError(f"{name!r} is not the name of a member")
    return name


def _open_member(path: Path) -> RunDirectory:
    if not (path / STUDY_NAME).is_file():
        raise InputError(
            f"the member {path.name} of the campaign {path.parent} has no folder, or lost its "
            f"{STUDY_NAME}. {_say_how_to_make_again(path.parent)}"
        )
    return open_run(path)


def _check_members(root: Path, found: MemberList) -> None:
    """Refuse a folder that holds anything but members of the same sweep."""
    if is_campaign_folder(root):
        members = {member.study.name for member in found.members}
        there, engine = _find_members(root)
        lost = [name for name in there if name not in members]
        if lost or engine not in (None, found.engine):
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            reason = f"it has {lost[0]}{more}, which this one has not" if lost else engine
            raise InputError(
                f"{root} holds a campaign of another sweep ({reason}); values may be added to a "
                "sweep, not taken away: choose another folder with --out, or remove it"
            )
    elif root.exists() and not root.is_dir():
        raise InputError(f"{root} is a file, and a campaign is a folder; choose another with --out")
    elif root.is_dir() and any(root.iterdir()):
        kind = "a run" if (root / STUDY_NAME).is_file() else "files that are no campaign"
        raise InputError(f"{root} holds {kind}; choose another folder with --out")


def _find_members(root: Path) -> tuple[Collection[str], str | None]:
    """Find the members of a campaign and its engine; of a damaged list, those with a folder."""
    try:
        campaign = open_campaign(root)
    except StoreError:
        return [path.parent.name for path in sorted(root.glob(f"*/{STUDY_NAME}"))], None
    return campaign.members.keys(), campaign.engine


def _restore_studies(root: Path, found: MemberList) -> None:
    """Write the study of members that have jobs and lost it, from the file they were made from."""
    lost = [
        member.study
        for member in found.members
        for folder in [root / member.study.name]
        if folder.is_dir() and any(folder.iterdir()) and not (folder / STUDY_NAME).is_file()
    ]
    if lost and open_campaign(root).study_file_sha256 != lost[0].source_sha256:
        raise InputError(
            f"the member {lost[0].name} of the campaign {root} lost its {STUDY_NAME}, which is "
            f"only made again from the study file that the campaign was made from, and "
            f"{found.source} is another or was changed; give that file as it was"
        )
    for study in lost:
        write_study(root / study.name, study)


def _say_how_to_make_again(root: Path) -> str:
    """Name the command that writes what a campaign has lost; on a cluster it computes nothing."""
    command = "qdcomp run STUDY"
    if find_handed_over(root):
        command = f"qdcomp submit STUDY --cluster {root / PROFILE_NAME}"
    return f"Make it again with: {command} --out {root} (finished jobs are not run again)"


def _enter_members(root: Path, found: MemberList) -> None:
    """Write the members down, where they are not there yet."""
    members = {member.study.name: dict(member.values) for member in found.members}
    with suppress(InputError, StoreError):  # none, or damaged
        if dict(open_campaign(root).members) == members:
            return
    root.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        "form": _FORM,
        "name": found.name,
        "engine": found.engine,
        "study_file": found.source.name,
        "study_file_sha256": found.members[0].study.source_sha256,
        "sweep": _describe_sweep(found),
        "members": members,
    }
    path = root / CAMPAIGN_NAME
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _describe_sweep(found: MemberList) -> dict[str, list[str]]:
    assert found.sweep is not None
    described = {axis.name: [str(node.value) for node in axis.nodes] for axis in found.sweep.axes}
    if found.sweep.seeds:
        described["seed"] = [str(seed) for seed, _ in found.sweep.seeds]
    return described
