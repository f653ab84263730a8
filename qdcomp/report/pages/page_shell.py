"""The shell of every page: one file that needs no network, with its plots and its viewer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from qdcomp.report.drawing import style
from qdcomp.report.drawing.interactive_drawing import describe_plot
from qdcomp.report.drawing.panel import Panel
from qdcomp.report.pages.number_text import MISSING, format_duration, format_measured, format_plain
from qdcomp.report.pages.strict_json import write_json
from qdcomp.resources import find_template

STYLE_SHEET = "report/page.css"
SCRIPTS = ("report/plots.js", "report/viewer.js")
FIGURE_FOLDER = "figures"


def render_template(template: str, panels: Iterable[Panel], viewer: Any, **values: Any) -> str:
    """Give the text of a page.

    Parameters
    ----------
    template
        Shipped template of the page, ``report/page.html.j2``.
    panels
        Figures of the page; each is drawn where the template names it.
    viewer
        Structure, or list of structures, as `describe_for_viewer` gives them; None for none.
    values
        What else the template needs.
    """
    path = find_template(template)
    environment = Environment(
        loader=FileSystemLoader(path.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    library = Markup(get_plotlyjs())  # as it was installed  # nosec B704
    environment.filters.update(
        measured=format_measured,
        plain=format_plain,
        duration=format_duration,
        keep_together=keep_numbers_together,
    )
    return environment.get_template(path.name).render(
        folder=FIGURE_FOLDER,
        missing=MISSING,
        is_mapping=lambda value: isinstance(value, Mapping),
        is_nested=_is_nested,
        inline=_write_inline,
        plots=_embed_json({panel.name: describe_plot(panel) for panel in panels}),
        viewer=None if viewer is None else _embed_json(viewer),
        theme=_embed_json({"surrogate": style.SURROGATE}),
        style_sheet=read_verbatim(STYLE_SHEET),
        scripts=[read_verbatim(name) for name in SCRIPTS],
        plotly=library,
        **values,
    )


def _is_nested(value: Any) -> bool:
    """Whether a value of the provenance takes a list of its own."""
    if isinstance(value, Mapping):
        return bool(value)
    return isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value)


def _write_inline(value: Any) -> str:
    if value is None or value == [] or value == {}:
        return MISSING
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def keep_numbers_together(text: str) -> str:
    """Put no-break spaces about ``=`` and ``±`` and before units."""
    for pattern in (" = ", " ± ", " meV"):
        text = text.replace(pattern, pattern.replace(" ", "\u00a0"))
    return text


def read_verbatim(template: str) -> Markup:
    """Text of a shipped file, to stand in the page as it is."""
    text = find_template(template).read_text(encoding="utf-8")
    return Markup(text)  # a file of the package  # nosec B704


def _embed_json(value: Any) -> Markup:
    """JSON for a script element: no ``<`` can end the element, whatever the texts hold."""
    text = write_json(value, indent=None)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # the loop has replaced what HTML acts on  # nosec B704
