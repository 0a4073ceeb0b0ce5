"""docs/export.md: its table is that of `exporting`, whose cells are tests, and its samples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blocks import EXAMPLES
from exporting import REFUSED, TARGETS, cell
from runtimes import in_keras, need

PAGE = Path(__file__).parent.parent / "docs" / "export.md"
SAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def table() -> str:
    """Return the table as the page has it: `python parity_tests/test_export_page.py` writes it there."""
    notes: dict[str, int] = {}
    lines = [
        "| " + " | ".join(["block", *(target.title for target in TARGETS.values())]) + " |",
        "| --- " * (len(TARGETS) + 1) + "|",
    ]
    for name in EXAMPLES:
        cells = [f"`{name}`", *(_shown(target, name, notes) for target in TARGETS)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *(f"{number}. {sentence}" for sentence, number in notes.items())]) + "\n"


def _shown(target: str, name: str, notes: dict[str, int]) -> str:
    """Return a cell, with the number of the note that says why there is nothing."""
    if (target, name) not in REFUSED:
        return cell(target, name)
    sentence = REFUSED[target, name].sentence
    return f"no ({notes.setdefault(sentence, len(notes) + 1)})"


def with_table(page: str) -> str:
    """Return the page with the table as it should be."""
    first, last = page.index("| block |"), page.index("`HybridSN` and")
    return page[:first] + table() + "\n" + page[last:]


def test_table():
    page = PAGE.read_text()
    assert with_table(page) == page


@pytest.mark.parametrize("sample", SAMPLES, ids=range(len(SAMPLES)))
@pytest.mark.filterwarnings("ignore")  # of the exporters' own code
def test_samples_run(sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if "attn_tf" in sample:
        need("keras-tensorflow")
        in_keras("tensorflow", "keras_exports", "run_sample", sample, str(tmp_path))
    else:
        need("torch" if "attn_torch" in sample else "nnx")
        monkeypatch.chdir(tmp_path)
        exec(compile(sample, "sample", "exec"), {})
    named = {name for name in re.findall(r'"(\w+(?:\.\w+)?)"', sample) if "." in name or name == "served"}
    assert {path.name for path in tmp_path.iterdir()} == named


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
