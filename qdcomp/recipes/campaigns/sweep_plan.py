"""What the members of a sweep will do and take."""

from __future__ import annotations

from dataclasses import dataclass

from qdcomp.engines import load_engine
from qdcomp.recipes.campaigns.members import MemberList
from qdcomp.recipes.plans.plan import StudyPlan, build_structures, format_estimate, plan_study


@dataclass(frozen=True)
class GroupPlan:
    """Members that differ only in the seed, and so take the same.

    Attributes
    ----------
    name
        Name that they have in common.
    n_members
        How many they are.
    plan
        What one of them does and takes.
    """

    name: str
    n_members: int
    plan: StudyPlan

    @property
    def core_hours(self) -> float:
        """Core-hours of all of them."""
        return self.n_members * self.plan.core_hours


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep will do and take, group by group."""

    groups: tuple[GroupPlan, ...]

    @property
    def n_jobs(self) -> int:
        """Number of jobs of all members."""
        return sum(group.n_members * len(group.plan.jobs) for group in self.groups)

    @property
    def core_hours(self) -> float:
        """Core-hours of all members."""
        return sum(group.core_hours for group in self.groups)

    @property
    def memory_gib(self) -> float:
        """Memory of the largest job [GiB]."""
        return max(group.plan.memory_gib for group in self.groups)

    @property
    def cost_basis(self) -> tuple[str, ...]:
        """What the estimates rest on, each sentence once."""
        return tuple(dict.fromkeys(text for group in self.groups for text in group.plan.cost_basis))

    def rows(self) -> list[tuple[str, ...]]:
        """Table of the groups as texts, the heading first."""
        heading = ("member", "seeds", "atoms", "jobs", "memory", "core-hours each", "in all")
        return [heading, *(_describe_row(group) for group in self.groups)]


def plan_members(found: MemberList) -> SweepPlan:
    """Plan a sweep without running anything; of members that differ in the seed, one is planned.

    Raises
    ------
    InputError
        A structure cannot be built.
    """
    estimate = load_engine(found.engine).estimate_cost
    groups = []
    for name, members in found.groups.items():
        study = members[0].study
        plan = plan_study(study, build_structures(study), estimate)
        groups.append(GroupPlan(name, len(members), plan))
    return SweepPlan(tuple(groups))


def _describe_row(group: GroupPlan) -> tuple[str, ...]:
    plan = group.plan
    atoms = max((len(structure.atoms) for structure in plan.structures.values()), default=0)
    return (
        group.name,
        str(group.n_members) if group.n_members > 1 else "",
        str(atoms),
        str(len(plan.jobs)),
        f"{format_estimate(plan.memory_gib)} GiB",
        format_estimate(plan.core_hours),
        format_estimate(group.core_hours),
    )
