"""What each test took, in seconds of the processor: tables by file, runtime and block at the end of a run in CI."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import runtimes
import tiers

BUDGET = 15  # seconds of a block over all runtimes, in the ordinary tier: printed, never asserted
FEW = 10

taken: dict[str, Counter[str]] = {kind: Counter() for kind in ("file", "runtime", "block")}
counted: Counter[str] = Counter()
slowest: Counter[str] = Counter()


def spent() -> float:
    """Return the seconds that this process, those it waited for, and its Keras processes have used."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system + sum(runtimes.seconds.values())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Note when a test starts."""
    item.stash[START] = spent()
    return (yield)


START = pytest.StashKey[float]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
    """Write beside a test what it took, and what it concerns, for the process that prints the tables."""
    if call.when == "teardown":
        about = {"file": Path(item.path).name, "runtime": tiers.runtime_of(item), "block": tiers.block_of(item)}
        item.user_properties += [("seconds", spent() - item.stash[START]), *about.items()]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up."""
    if report.when == "teardown":
        told = dict(report.user_properties)
        for kind, sums in taken.items():
            sums[told[kind]] += told["seconds"]
        counted[told["file"]] += 1
        slowest[report.nodeid] = told["seconds"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables where CI runs the tests, and everywhere the blocks that take too long."""
    write = terminalreporter.write_line
    over = {name: seconds for name, seconds in taken["block"].most_common() if name and seconds > BUDGET}
    if os.environ.get("CI"):
        terminalreporter.section("seconds of the processor")
        for name, seconds in taken["file"].most_common():
            write(f"{seconds:8.1f}  {counted[name]:5}  {name}")
        for title in ("runtime", "block"):
            terminalreporter.section(f"by {title}")
            for name, seconds in taken[title].most_common():
                write(f"{seconds:8.1f}  {name or 'none of them'}")
        terminalreporter.section("slowest")
        for name, seconds in slowest.most_common(FEW):
            write(f"{seconds:8.1f}  {name}")
        write(f"{sum(slowest.values()):8.1f}  {len(slowest)} tests")
    for name, seconds in over.items():
        write(f"{name} takes {seconds:.0f} seconds of the processor over all runtimes: more than {BUDGET}")
    if left := tiers.said(terminalreporter.config):
        write(left)
