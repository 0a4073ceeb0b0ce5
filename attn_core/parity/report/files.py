"""Writing reports: what cannot be written is refused before the run, and each file appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from attn_core.parity.report.as_html import to_html
from attn_core.parity.report.as_json import to_json
from attn_core.parity.report.as_junit import to_junit
from attn_core.parity.report.extra import needed
from attn_core.parity.result import Report
from attn_core.weights.files.whole import write_whole

FORMS = {"json": to_json, "junit": to_junit, "html": to_html}
PACKAGES = {"junit": "junitparser", "html": "jinja2"}

Paths = Mapping[str, "str | os.PathLike[str]"]


def prepare(paths: Paths) -> None:
    """Raise before a long run what would stop `write` after it: `ImportError`, `OSError`, `ValueError`."""
    for form, path in paths.items():
        if form not in FORMS:
            raise ValueError(f"There is no report as {form!r}; the forms are {', '.join(FORMS)}.")
        if form in PACKAGES:
            needed(PACKAGES[form])
        if Path(path).is_dir():
            raise IsADirectoryError(f"{path} is a folder; give a file for the report.")
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(f"{path}: there is no folder {Path(path).parent}.")
    if len({os.path.realpath(path) for path in paths.values()}) < len(paths):
        raise ValueError("Two reports would be written to one file; give each a file of its own.")


def write(report: Report, paths: Paths) -> None:
    """Write the report in each form ("json", "junit", "html") to its path; all are made before one is written."""
    prepare(paths)
    contents = {path: FORMS[form](report).encode() for form, path in paths.items()}
    for path, content in contents.items():
        write_whole(Path(path), content)
