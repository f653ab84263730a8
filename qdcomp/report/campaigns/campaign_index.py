"""The index of a campaign: its rows as the page, the CSV and the JSON have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qdcomp.report.campaigns.campaign_pooling import PooledRow
from qdcomp.report.campaigns.campaign_rows import STATES, CampaignRow
from qdcomp.report.drawing.panel import Panel
from qdcomp.report.pages.page_shell import read_verbatim, render_template
from qdcomp.report.pages.shared_assets import ASSET_FOLDER, LIBRARY_NAME, SHARED_POLICY

PAGE_TEMPLATE = "report/campaign.html.j2"
STYLE_SHEET = "report/campaign.css"
SCRIPT = "report/campaign.js"

FILTERS = ("kind", "engine", "size", "ligand", "state")
"""Columns that can be chosen from, in the order of the page."""


@dataclass(frozen=True)
class IndexRow:
    """A row as the page shows it; `page` is its address, empty where it has none."""

    row: CampaignRow
    page: str

    @property
    def choices(self) -> dict[str, str]:
        """What the filters choose by; empty texts match no choice but all."""
        facts = self.row.facts
        return {
            "kind": facts.kind,
            "engine": facts.engine,
            "size": facts.size,
            "ligand": facts.ligand,
            "state": self.row.state,
        }

    @property
    def words(self) -> str:
        """What the search looks in."""
        row = self.row
        study = row.run.study if row.run else None
        named = () if study is None else (study.name, study.description)
        parts = (row.label, *named, row.facts.material, row.facts.temperature, row.reason)
        return " ".join((*parts, *self.choices.values(), *row.headlines, row.caution)).lower()

    @property
    def edge_nm(self) -> float | None:
        """Edge of a dot, by which sizes sort."""
        return self.row.facts.edge_nm


@dataclass(frozen=True)
class SideBySide:
    """A page of several runs of one study of ligands: its title and address."""

    title: str
    page: str


def count_states(rows: Sequence[CampaignRow]) -> str:
    """Say how many runs there are and how they stand, ``9 of 12 runs finished; 1 failed``."""
    counts = Counter(row.state for row in rows)
    others = [f"{counts[state]} {state}" for state in STATES[1:-1] if counts[state]]
    if counts["no run"]:
        others.append(f"{_count(counts['no run'], 'folder')} without a run")
    total = _count(len(rows) - counts["no run"], "run")
    return "; ".join((f"{counts['finished']} of {total} finished", *others))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def tabulate_rows(rows: Sequence[IndexRow]) -> list[dict[str, Any]]:
    """Give all rows for ``runs.csv`` and ``runs.json``, a mapping each."""
    return [
        {
            "run": entry.row.label,
            "study": entry.row.run.study.name if entry.row.run else "",
            **entry.choices,
            "edge_nm": entry.edge_nm,
            "material": entry.row.facts.material,
            "temperature": entry.row.facts.temperature,
            "result": "; ".join(entry.row.headlines),
            "caution": entry.row.caution,
            "warnings": entry.row.n_warnings,
            "reason": entry.row.reason,
            "page": entry.page,
        }
        for entry in rows
    ]


def render_index(
    rows: Sequence[IndexRow],
    panels: Sequence[Panel],
    beside: Sequence[SideBySide] = (),
    comparison: str = "",
    pools: Sequence[PooledRow] = (),
) -> str:
    """Give the text of ``index.html``.

    Parameters
    ----------
    rows
        All runs, in the order of the page.
    panels
        Figures across runs.
    beside
        Pages of ligand runs side by side.
    comparison
        Address of a page that holds calculation against measurement; empty where there is none.
    pools
        Runs that differ only in the seed, as one.
    """
    n_runs = sum(entry.row.state != "no run" for entry in rows)
    return render_template(
        PAGE_TEMPLATE,
        panels,
        None,
        rows=rows,
        title=f"Campaign of {_count(n_runs, 'run')}",
        headline=count_states([entry.row for entry in rows]),
        cautions=list(dict.fromkeys(entry.row.caution for entry in rows if entry.row.caution)),
        choices={name: _list_choices(rows, name) for name in FILTERS},
        together=panels,
        beside=beside,
        pools=pools,
        comparison=comparison,
        policy=SHARED_POLICY,
        library=f"{ASSET_FOLDER}/{LIBRARY_NAME}",
        index_style=read_verbatim(STYLE_SHEET),
        index_script=read_verbatim(SCRIPT),
    )


def _list_choices(rows: Sequence[IndexRow], name: str) -> list[tuple[str, int]]:
    """Values of a filter with the number of runs: sizes by edge, states in their order."""
    counts = Counter(entry.choices[name] for entry in rows if entry.choices[name])
    if name == "state":
        return [(state, counts[state]) for state in STATES if counts[state]]
    edges = {entry.choices["size"]: entry.edge_nm or 1e9 for entry in rows}
    order = sorted(
        counts, key=lambda value: (edges.get(value, 0.0) if name == "size" else 0, value)
    )
    return [(value, counts[value]) for value in order]
