"""What all tests share: they skip by name where a framework is missing, and fail there if CI is set."""

from __future__ import annotations

import pytest
from runtimes import FRAMEWORKS, need
from terminal import attn  # noqa: F401 (a fixture)


@pytest.fixture(params=list(FRAMEWORKS))
def runtime(request: pytest.FixtureRequest) -> str:
    """Name each runtime in turn."""
    return need(request.param)


@pytest.fixture(params=[name.removeprefix("keras-") for name in FRAMEWORKS if name.startswith("keras-")])
def keras_backend(request: pytest.FixtureRequest) -> str:
    """Name each Keras backend in turn."""
    need(f"keras-{request.param}")
    return str(request.param)
