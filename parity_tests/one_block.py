"""The option `--block NAME`: everything that concerns one block, in all runtimes, and a word on what was left out.

A test concerns the block that its parameters name: a case, a recording, a dialect, a configuration, or the block
itself. What lists all blocks is run, too, for a new one must be in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

LISTS = (
    "test_cli.py::test_list",
    "test_contributing.py::test_the_readme_has_every_block",
    "test_deferred.py",
    "test_dialects.py::test_every_dialect_has_examples_and_says_where_it_is_from",
    "test_dialects.py::test_what_dialects_say_of_their_proof",
    "test_dialects_page.py::test_tables",
    "test_matrix.py::test_chosen_blocks",
    "test_matrix.py::test_the_definition_is_as_released",
    "test_new_block.py::test_files_are_what_would_be_written",
    "test_new_block.py::test_nothing_is_left_to_fill_in",
    "test_recordings.py::test_every_block_has_cases",
    "test_recordings.py::test_every_recorded_tensor_is_used",
    "test_recordings.py::test_recordings_are_all_used",
    "test_saved.py::test_every_block_has_an_archive",
    "test_surface.py::test_exports",
)
OTHERS, SLOW, RUN = "others", "slow", "run"
COUNTS = pytest.StashKey[Counter[str]]()
NAME = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--block", metavar="NAME", help="run what concerns one block: its class or file, as CBAM or cbam")


def pytest_configure(config: pytest.Config) -> None:
    if text := config.getoption("--block"):
        from attn_core.parity.subjects import known_name
        from attn_core.spec import SpecError

        try:
            config.stash[NAME] = known_name(text)
        except SpecError as error:
            raise pytest.UsageError(f"--block: {error}") from None


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Name the blocks that a test of all of them is to run: with `--block`, that one."""
    from attn_core.models.registry import KNOWN

    name = request.config.stash.get(NAME, None)
    return tuple(KNOWN) if name is None else (name,)


# ---- choosing --------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)  # before anything else leaves tests out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if NAME in config.stash:
        kinds = [(_kind(item, config.stash[NAME], config.option.full), item) for item in items]
        config.stash[COUNTS] = Counter(kind for kind, _ in kinds)
        config.hook.pytest_deselected(items=[item for kind, item in kinds if kind != RUN])
        items[:] = [item for kind, item in kinds if kind == RUN]


def _kind(item: pytest.Item, name: str, full: bool) -> str:
    concerned = name in blocks_of(item) or item.nodeid.partition("/")[2].startswith(LISTS)
    if not concerned:
        return OTHERS
    left = item.get_closest_marker("full") is not None and not full
    return SLOW if left else RUN


def blocks_of(item: pytest.Item) -> set[str]:
    """Return the names of the blocks that a test concerns; of a test of other things, none."""
    named = getattr(getattr(item, "module", None), "CONCERNS", ())
    return {*named, *_named(_parameters(item))}


def _parameters(item: pytest.Item) -> dict[str, Any]:
    call = getattr(item, "callspec", None)
    return dict(call.params) if call else {}


def _named(parameters: dict[str, Any]) -> Iterator[str]:
    from blocks import CASES, RECORDINGS

    from attn_core import dialects
    from attn_core.models.registry import KNOWN
    from attn_core.spec import Block

    for key, value in parameters.items():
        if isinstance(value, Block):
            yield type(value).__name__
        if not isinstance(value, str):
            continue
        if (configured := value.partition("(")[0]) in KNOWN:
            yield configured
        if key == "case" and value in CASES:
            yield type(CASES[value].block).__name__
        if value in RECORDINGS:
            yield type(RECORDINGS[value].block).__name__
        if value in dialects.names():
            yield dialects.get(value).block.__name__


# ---- telling ---------------------------------------------------------------------------------------------------------


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput") and COUNTS in session.config.stash:
        session.config.workeroutput["block"] = dict(session.config.stash[COUNTS])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the counts of a worker of pytest-xdist; all workers collect the same."""
    if counts := getattr(node, "workeroutput", {}).get("block"):
        node.config.stash[COUNTS] = Counter(counts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if COUNTS in config.stash:
        terminalreporter.section(f"--block {config.stash[NAME]}")
        for line in _left_out(config.stash[NAME], config.stash[COUNTS]):
            terminalreporter.line(line)


def _left_out(name: str, counts: Counter[str]) -> Iterator[str]:
    yield f"left out: {counts[OTHERS]:,} tests that concern other blocks or none"
    if counts[SLOW]:
        yield f"left out: {counts[SLOW]} tests of {name} of the full tier: --full runs them"
    if users := sorted(_users(name)):
        yield f"left out: the same for blocks that have {name} as a part: {', '.join(users)}"


def _users(name: str) -> set[str]:
    from blocks import CASES

    return {type(case.block).__name__ for case in CASES.values() if name in _inside(case.block)}


def _inside(block: Any) -> set[str]:
    """Return the names of the blocks that a block is made of."""
    from attn_core.spec import Block

    parts = [part for part in block.parts().values() if isinstance(part, Block)]
    return {type(part).__name__ for part in parts}.union(*map(_inside, parts))
