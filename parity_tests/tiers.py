"""The tiers of the check: `pytest` is the ordinary one, `pytest --full` runs everything, `pytest -m quick` a glance.

What the ordinary tier leaves to the full one is another sample of something that it proves: the mark `full` names the
test that does. A block's cases all run in torch; elsewhere, its first case of each mode and rank, or one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from blocks import CASES, RECORDINGS
from bounds import COMPILED
from one_block import blocks_of
from runtimes import FRAMEWORKS

# ---- what a test concerns --------------------------------------------------------------------------------------------

WORDS = {"torch": "torch", "linen": "linen", "nnx": "nnx", "keras": "keras-tensorflow"}


def block_of(item: pytest.Item) -> str:
    """Return the name of the block that a test concerns, of several the first, or an empty text."""
    return min(blocks_of(item), default="")


def runtime_of(item: pytest.Item) -> str:
    """Return the runtime that a test is run in, by its parameters or its name, or an empty text."""
    given = parameters(item)
    if "keras_backend" in given:
        return f"keras-{given['keras_backend']}"
    named = [value for value in given.values() if isinstance(value, str) and value in FRAMEWORKS]
    words = [runtime for word, runtime in WORDS.items() if word in item.name.partition("[")[0].split("_")]
    return [*named, *words, ""][0]


def kind(item: pytest.Item) -> str:
    """Return a test's file and function."""
    return item.nodeid.partition("[")[0]


def parameters(item: pytest.Item) -> dict[str, Any]:
    """Return what a test is parametrised with."""
    call = getattr(item, "callspec", None)
    return dict(call.params) if call else {}


# ---- the full tier ---------------------------------------------------------------------------------------------------


def first_of(values: Iterable[tuple[str, tuple[Any, ...]]]) -> set[str]:
    """Return the first name of each kind."""
    found: dict[tuple[Any, ...], str] = {}
    for name, kind in values:
        found.setdefault(kind, name)
    return set(found.values())


FIRSTS = first_of((name, (type(case.block), case.train, len(case.shape))) for name, case in CASES.items())
# Those in training first: what they compute is compared, what they move, and the gates outside of training.
BY_MODE = sorted(CASES.items(), key=lambda item: not item[1].train)
FIRST_CASES = first_of((name, (type(case.block),)) for name, case in BY_MODE)
FIRST_RECORDINGS = first_of((folder, (type(one.block), one.modes)) for folder, one in RECORDINGS.items())
# Each runs the code of another: Keras' layers as with TensorFlow, the primitives as in NNX.
TWINS = ("keras-jax", "linen")
LARGE = 200_000  # weights: JAX has no fast convolution in float64


def ordinary_case(run: tuple[str, str, str]) -> bool:
    """Say whether a case is run in this runtime and dtype: all in torch, elsewhere the firsts.

    What JAX compiles is run in float64 alone; `test_matrix.py` runs float32 there. Twins run one case of a block.
    """
    runtime, dtype, case = run
    if runtime in TWINS and case not in FIRST_CASES:
        return False
    return runtime == "torch" or (case in FIRSTS and not (runtime in COMPILED and dtype == "float32"))


def ordinary_recording(run: tuple[str, str, str, str]) -> bool:
    """Say whether a recording is run in this mode, runtime and dtype.

    Large ones, whole networks among them, are run in torch, which recorded them: there a difference is ours alone. The
    same layers are compared everywhere on smaller ones. What JAX compiles runs the first recording of each block, and
    twins those of two: that all runtimes are the same definition, `test_parity.py` proves.
    """
    folder, _, runtime, dtype = run
    if runtime in COMPILED and folder not in FIRST_RECORDINGS:
        return False
    if runtime in TWINS and type(RECORDINGS[folder].block).__name__ not in ("SqueezeExcitation", "CBAM"):
        return False
    if RECORDINGS[folder].block.parameters() > LARGE:
        return runtime == "torch"
    return runtime in ("torch", "keras-torch") or dtype == "float64"


def sample(values: Iterable[Any], ordinary: Callable[[Any], bool], proof: str) -> list[Any]:
    """Leave those values to the full tier that are not ordinary; `proof` is the ordinary test of their kind."""
    return [value if ordinary(value) else left(value, proof) for value in values]


def left(value: Any, proof: str) -> Any:
    """Mark a parameter, or a tuple of them, as one of the full tier."""
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.full(proof))


# ---- what pytest asks ------------------------------------------------------------------------------------------------

COLLECTED = pytest.StashKey[list[pytest.Item]]()
LEFT = pytest.StashKey[int]()

# Not at a glance: each of these tests starts a program or a browser.
LONG = (
    "test_cli_port",
    "test_cli_port_network",
    "test_dialect_files",
    "test_dialects_page",
    "test_example",
    "test_foreign_flax",
    "test_parity_browser",
    "test_parity_page",
    "test_pytest_plugin",
    "test_readme",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the full tier."""
    parser.addoption("--full", action="store_true", help="run the full tier, too: every sample of everything")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is of the full tier, unless it was asked for: all of it, or a test by its name."""
    config.stash[COLLECTED] = list(items)
    for item in quick(items):
        item.add_marker("quick")
    if config.option.full or any("::" in argument for argument in config.args):
        return
    rest = [item for item in items if item.get_closest_marker("full")]
    config.stash[LEFT] = len(rest)
    config.hook.pytest_deselected(items=rest)
    items[:] = [item for item in items if not item.get_closest_marker("full")]


def quick(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the first test of each kind."""
    firsts: dict[str, pytest.Item] = {}
    for item in items:
        if not item.get_closest_marker("full") and item.path.stem not in LONG:
            firsts.setdefault(kind(item), item)
    return list(firsts.values())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that prints, if this is a worker of it."""
    getattr(session.config, "workeroutput", {})["left"] = session.config.stash.get(LEFT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Listen to a worker."""
    node.config.stash[LEFT] = getattr(node, "workeroutput", {}).get("left", 0)  # one that crashed has none


def said(config: pytest.Config) -> str:
    """Say what was left out."""
    left = config.stash.get(LEFT, 0)
    return f"{left} tests, other samples of what was tested, were left to the full tier: pytest --full" if left else ""
