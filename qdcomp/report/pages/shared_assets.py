"""What the pages of a folder share, beside them in place of inside of each."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import quote

from plotly.offline import get_plotlyjs

from qdcomp.report.pages.page_shell import FIGURE_FOLDER

ASSET_FOLDER = "assets"
LIBRARY_NAME = "plotly.min.js"

POLICIES = {
    "script-src 'unsafe-inline'": "script-src 'self' file: 'unsafe-inline'",
    "img-src data: blob:": "img-src 'self' file: data: blob:",
}
"""What a page by itself allows, the scripts and pictures that it holds; and what it allows that has
them beside it, on a disk or on a server of its own."""

SHARED_POLICY = "; ".join(POLICIES.values())
"""The same for a page that is written with its library beside it."""

MAKER = '<p class="maker">qdcomp report</p>'
"""First line of each page, where the way back to the index goes."""


def write_library(root: Path) -> Path:
    """Write the library into a folder's ``assets``; return its path."""
    library = root / ASSET_FOLDER / LIBRARY_NAME
    library.parent.mkdir(parents=True, exist_ok=True)
    library.write_text(get_plotlyjs(), encoding="utf-8")
    return library


def share_library(page: Path, library: Path, index: Path) -> bool:
    """Take the library and the pictures out of a page, and add the way to the index.

    Parameters
    ----------
    page
        Page that holds the library, with its figures beside it; it is written anew.
    library
        The library, as `write_library` left it.
    index
        Page that leads to this one.

    Returns
    -------
    bool
        False where the page holds another version of the library or another policy: it is left
        with what it holds, and works by itself.
    """
    text = page.read_text(encoding="utf-8")
    embedded = f"<script>{get_plotlyjs()}</script>"
    shared = embedded in text and all(policy in text for policy in POLICIES)
    if shared:
        text = text.replace(embedded, f'<script src="{_address(library, page)}"></script>')
        text = _name_pictures(text, page)
        for closed, opened in POLICIES.items():
            text = text.replace(closed, opened, 1)
    back = f'<p class="maker"><a href="{_address(index, page)}">All runs</a> · qdcomp report</p>'
    page.write_text(text.replace(MAKER, back, 1), encoding="utf-8")
    return shared


def _name_pictures(text: str, page: Path) -> str:
    """Name the pictures beside a page where it holds the same ones itself."""
    for picture in sorted((page.parent / FIGURE_FOLDER).glob("*.png")):
        held = base64.b64encode(picture.read_bytes()).decode("ascii")
        address = quote(_address(picture, page))
        text = text.replace(f'"data:image/png;base64,{held}"', f'"{address}" loading="lazy"')
    return text


def _address(target: Path, page: Path) -> str:
    """Give the address of a file as a page names it, which holds on a disk and on a server."""
    return Path(os.path.relpath(target, page.parent)).as_posix()
