"""Calculation beside measurement: the papers' numbers, each with its place."""

from qdcomp.compare.published import (
    PublishedCoupling,
    PublishedValue,
    check_reference,
    find_coupling_row,
    find_published,
    load_coupling_table,
    load_published,
)

__all__ = [
    "PublishedCoupling",
    "PublishedValue",
    "check_reference",
    "find_coupling_row",
    "find_published",
    "load_coupling_table",
    "load_published",
]
