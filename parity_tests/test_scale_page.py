"""The page on training at scale names tests that are there, and functions that are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from runtimes import need

HERE = Path(__file__).parent
PAGE = (HERE.parent / "docs" / "scale.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")][
    2:
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_line_is_a_test(row: list[str]):
    """A line names its file of tests; a runtime that has a word in it is tested there by name."""
    what, *words, file = row
    source = (HERE / f"{file.strip('`')}.py").read_text()
    named = {"PyTorch": "torch", "Keras": "keras", "Linen": "linen", "NNX": "nnx"}
    for runtime, word in zip(named.values(), words, strict=True):
        assert not word or runtime in source or "FRAMEWORKS" in source, (what, runtime)


@pytest.mark.parametrize(
    ("package", "name"),
    [("attn_torch", "synchronized"), ("attn_torch", "record_gates"), ("attn_tf", "record_gates")],
)
def test_what_the_page_calls_is_there(package: str, name: str):
    need("torch" if package == "attn_torch" else "keras-tensorflow")
    assert re.search(rf"\b{name}\b", PAGE)
    source = (HERE.parent / package / "__init__.py").read_text()
    assert f"import {name} as {name}" in source
