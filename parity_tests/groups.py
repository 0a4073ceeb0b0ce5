"""Which worker of pytest-xdist runs what: all tests of one runtime, the same. Each holds one Keras backend at a time.

The process that shares the tests out knows their ids alone. (pytest-xdist's own `xdist_group` writes its name into ids,
which pytest 9.2 no longer lets it.)
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from runtimes import FRAMEWORKS
from xdist.scheduler import LoadScopeScheduling

NAMED = re.compile("|".join(sorted(FRAMEWORKS, key=len, reverse=True)))  # keras-torch before torch
BACKEND = re.compile("tensorflow|jax|torch")


def group_of(nodeid: str) -> str:
    """Return the runtime in a test's name or parameters; of a test without one, the id, which is a group of its own."""
    path, _, parameters = nodeid.partition("[")
    if "keras" in path and (backend := BACKEND.search(parameters)):
        return f"keras-{backend[0]}"
    found = NAMED.search(parameters) or NAMED.search(path)
    return found[0] if found else nodeid


class ByRuntime(LoadScopeScheduling):
    """Gives a worker the next group of tests, the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRuntime:
    """Share tests out by their groups."""
    return ByRuntime(config, log)
