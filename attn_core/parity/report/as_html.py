"""Form: one HTML page, whole in one file. Its policy forbids it the network and every script but its own."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from importlib.resources import files
from typing import Any

from attn_core.parity.report import heatmap, strip, texts
from attn_core.parity.report.extra import needed
from attn_core.parity.result import Cell, Report, Subject

SHOWN = 10  # failures above the map; the rest can be opened


def to_html(report: Report) -> str:
    """Return the report as a page. **Raises** `ImportError` without Jinja2."""
    page = files(__package__).joinpath("page")
    style, script = (page.joinpath(name).read_text("utf-8") for name in ("style.css", "script.js"))
    template = _environment(report).get_template("report.html")
    return str(
        template.render(
            report=report,
            style=style,
            script=script,
            policy=_policy(style, script),
            counts=Counter(cell.status for cell in report.cells),
            columns=heatmap.columns(report),
            rows=heatmap.rows(report),
            sections=_sections(report),
            shown=SHOWN,
        )
    )


def _environment(report: Report) -> Any:
    """Return the templates with what they need to say a report's things; whatever they print is escaped and spelt."""
    jinja2: Any = needed("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "page"),
        autoescape=True,
        finalize=lambda value: texts.spelt(value) if type(value) is str else value,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    numbers = {id(cell): number for number, cell in enumerate(report.cells)}
    environment.globals.update(number_of=lambda cell: numbers[id(cell)], strip=strip, texts=texts, heatmap=heatmap)
    return environment


def _policy(style: str, script: str) -> str:
    own = f"style-src {_digest(style)}; script-src {_digest(script)}"
    return f"default-src 'none'; {own}; img-src data:; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _sections(report: Report) -> list[tuple[str, str, Subject | None, list[Cell]]]:
    """Return class, configuration, subject and cells of each block: those that ran in their order, then the others."""
    cells: dict[tuple[str, str], list[Cell]] = {}
    for cell in report.cells:
        cells.setdefault((cell.block, cell.text), []).append(cell)
    subjects = {(subject.block, subject.text): subject for subject in report.subjects}
    return [(*key, subjects.get(key), cells.get(key, [])) for key in cells | subjects]
