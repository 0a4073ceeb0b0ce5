"""The plugin for pytest: the marker and the fixture `parity`. Nothing else is imported until one of them is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

CELL = "_parity_runtime"  # the argument that a marked test gets for each runtime
MARKER = (
    "parity(block=None, runtimes=None, **options): run the block in each of these runtimes (by default, all that are "
    "installed) against bounds derived from it; options, as shape, dtype, modes, draws, are also those of the fixture"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line."""
    group = parser.getgroup("attn", "parity of layers (attn-blocks)")
    group.addoption("--parity-seed", type=int, default=0, help="seed of weights and images")
    group.addoption("--parity-draws", type=int, default=None, help="how often weights and images are drawn")
    group.addoption("--parity-require", default="", help="runtimes that must not be missing, as torch,nnx")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each runtime of a marked one."""
    marker = metafunc.definition.get_closest_marker("parity")
    if marker is not None and _block(marker) is not None:
        metafunc.fixturenames.append(CELL)
        metafunc.parametrize(CELL, _runtimes(marker, metafunc.config), indirect=True)


@pytest.fixture(name=CELL)
def _parity_runtime(request: pytest.FixtureRequest) -> str:
    """Name the runtime."""
    return str(request.param)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Check the block of a marked test before its body runs."""
    __tracebackhide__ = True
    runtime = getattr(getattr(item, "callspec", None), "params", {}).get(CELL)
    marker = item.get_closest_marker("parity")
    if runtime is not None and marker is not None:
        _check(marker, str(runtime), item.config)
    return (yield)


@pytest.fixture
def parity(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return `assert_parity` with the seed of the command line and the options of the marker."""
    marker = request.node.get_closest_marker("parity")
    given = _options(marker, request.config)

    def run(layer: Any, reference: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        from attn_core.parity import assert_parity

        return assert_parity(layer, reference, **(given | options))

    return run


def _check(marker: pytest.Mark, runtime: str, config: pytest.Config) -> None:
    __tracebackhide__ = True
    from attn_core.parity import MissingRuntimeError
    from attn_core.parity.pytest_plugin.marked import assert_runtime

    try:
        assert_runtime(_block(marker), runtime, **_options(marker, config))
    except MissingRuntimeError as error:
        if runtime in config.getoption("--parity-require").split(","):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


def _block(marker: pytest.Mark) -> Any:
    return marker.args[0] if marker.args else marker.kwargs.get("block")


def _runtimes(marker: pytest.Mark, config: pytest.Config) -> list[str]:
    if "runtimes" in marker.kwargs:
        return list(marker.kwargs["runtimes"])
    from attn_core.parity.pytest_plugin.marked import installed

    required = config.getoption("--parity-require").split(",")
    return [name for name, there in installed().items() if there or name in required]


def _options(marker: pytest.Mark | None, config: pytest.Config) -> dict[str, Any]:
    """Return the options of a check: the marker's, and the command line's where the marker has none."""
    draws = config.getoption("--parity-draws")
    own = {"seed": config.getoption("--parity-seed")} | ({} if draws is None else {"draws": draws})
    given = {} if marker is None else marker.kwargs
    return own | {name: value for name, value in given.items() if name not in ("block", "runtimes")}
