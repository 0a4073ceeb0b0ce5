"""`pytest --block NAME`: which tests it chooses, what it says of the others, and which names it takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import one_block
import pytest

from attn_core.models.registry import KNOWN
from attn_core.parity.subjects import known_name
from attn_core.spec import SpecError

ROOT = Path(__file__).parent.parent
FILES = [f"parity_tests/test_{name}.py" for name in ("surface", "reference", "dialects", "memory", "matrix")]


def run(*words: str) -> tuple[int, str]:
    """Run pytest as its user does; return its exit code and what it said."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"})
    return done.returncode, done.stdout + done.stderr


def test_tests_of_one_block_are_chosen():
    code, said = run("--block", "non_local", "--collect-only", *FILES)
    chosen = {line.removeprefix("parity_tests/") for line in said.splitlines() if "::" in line}
    assert code == 0
    assert {
        "test_surface.py::test_fields[NonLocal-attn_torch]",
        "test_surface.py::test_exports[attn_tf]",
        "test_reference.py::test_output[nl_line]",
        "test_dialects.py::test_round_trip_is_exact[mmcv.NonLocal-0-float64]",
        "test_dialects.py::test_recordings_are_read[official/timm_nl]",
        "test_memory.py::test_softmax_keeps_no_map",
        "test_matrix.py::test_every_block_in_every_runtime[nnx-NonLocal]",
    } <= chosen
    assert not {test for test in chosen if "CBAM" in test or "timm.SEModule" in test or "[cam" in test}
    assert "test_matrix.py::test_a_seed_stands_for_its_draw" not in chosen


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_what_was_left_out_is_told(workers: tuple[str, ...]):
    code, said = run("--block", "ChannelAttention", FILES[0], *workers)
    assert code == 0
    assert "8 passed" in said
    others = 4 * (len(KNOWN) - 1)  # the fields of each, in four packages
    assert f"left out: {others} tests that concern other blocks or none" in said
    assert "left out: the same for blocks that have ChannelAttention as a part: CBAM" in said


def test_a_misspelt_name_lists_the_blocks():
    code, said = run("--block", "CBMA")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert f"--block: There is no block 'CBMA'; did you mean CBAM? The blocks are {', '.join(KNOWN)}." in said


@pytest.mark.parametrize("name", KNOWN)
def test_a_block_is_called_by_its_class_or_its_file(name: str):
    assert known_name(name) == name
    assert known_name(KNOWN[name].__module__.rpartition(".")[2]) == name
    with pytest.raises(SpecError, match=f"did you mean {name}"):
        known_name(f"{name}s")


@pytest.mark.parametrize("test", one_block.LISTS)
def test_what_lists_all_blocks_is_there(test: str):
    file, _, function = test.partition("::")
    assert f"def {function}" in (ROOT / "parity_tests" / file).read_text()


def test_with_no_name_all_blocks_are_asked_for(asked: tuple[str, ...]):
    assert asked == tuple(KNOWN)
