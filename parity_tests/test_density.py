"""Code that many people read does one thing in a line and says why."""

from __future__ import annotations

import pytest
from density import CORE, FEWEST_COMMENTS, MOST_OPERATIONS, READ, density


@pytest.mark.parametrize("folder", READ)
def test_code_is_read_easily(folder: str):
    found = density((CORE / folder).rglob("*.py"))
    assert found.per_statement <= MOST_OPERATIONS
    assert found.per_100_lines >= FEWEST_COMMENTS
