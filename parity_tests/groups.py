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

# A parameter of its own, between hyphens or brackets: "torch/001_cbam" is a folder. keras-torch comes before torch.
NAMED = re.compile(rf"(?<![^-\[])({'|'.join(sorted(FRAMEWORKS, key=len, reverse=True))})(?=[-\]])")
BACKEND = re.compile("tensorflow|jax|torch")
IN_NAME = re.compile("torch|linen|nnx")


def group_of(nodeid: str) -> str:
    """Return the runtime in a test's name or parameters; of a test without one, the id, which is a group of its own."""
    path, bracket, parameters = nodeid.partition("[")
    if found := NAMED.search(bracket + parameters):
        return found[1]
    if "keras" in path and (backend := BACKEND.search(parameters)):
        return f"keras-{backend[0]}"
    named = IN_NAME.search(path)
    return named[0] if named else nodeid


class ByRuntime(LoadScopeScheduling):
    """Gives a worker the next group of tests, the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRuntime:
    """Share tests out by their groups."""
    return ByRuntime(config, log)
