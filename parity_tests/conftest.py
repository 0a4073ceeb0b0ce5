"""What all tests share: tiers, tables of durations, and runtimes by name, which fail where missing if CI is set."""

from __future__ import annotations

import settings  # noqa: F401 (before any framework)  # isort: skip

import pytest
from durations import (  # noqa: F401 (hooks)
    pytest_runtest_logreport,
    pytest_runtest_makereport,
    pytest_runtest_protocol,
    pytest_terminal_summary,
)
from runtimes import FRAMEWORKS, need
from terminal import attn  # noqa: F401 (a fixture)
from tiers import (  # noqa: F401 (hooks)
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_sessionfinish,
    pytest_testnodedown,
)


@pytest.fixture(params=list(FRAMEWORKS))
def runtime(request: pytest.FixtureRequest) -> str:
    """Name each runtime in turn."""
    return need(request.param)


@pytest.fixture(params=[name.removeprefix("keras-") for name in FRAMEWORKS if name.startswith("keras-")])
def keras_backend(request: pytest.FixtureRequest) -> str:
    """Name each Keras backend in turn."""
    need(f"keras-{request.param}")
    return str(request.param)
