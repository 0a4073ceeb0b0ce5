"""The command `attn` run as its user runs it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from runtimes import GOLDEN
from typer.testing import CliRunner

NET = GOLDEN / "tf1" / "res_block2_net"
SE = GOLDEN / "tf1" / "se_block"
ALONE = SE / "frozen.pb"

Attn = Callable[..., tuple[int, str, str]]


@pytest.fixture
def attn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Attn:
    """Run the command in an empty folder; returns its exit code, stdout and stderr."""
    from attn_core.cli.main import main  # whose console reads the environment when it is imported

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")

    def run(*args: object, columns: int = 80) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, [str(arg) for arg in args], env={"COLUMNS": str(columns)})
        assert isinstance(result.exception, SystemExit | None), result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


def refusal(attn: Attn, code: int, *args: object) -> str:
    """Return the one sentence of a port that must not write anything."""
    before = sorted(os.listdir())
    found, stdout, stderr = attn("port", "--blocks", *args)
    assert found == code, stderr
    assert sorted(os.listdir()) == before
    assert "Traceback" not in stdout + stderr
    assert stderr.startswith("attn: ")
    assert stderr.endswith((".\n", "?\n", "'\n"))
    assert stderr.count("\n") == 1
    return stderr.removeprefix("attn: ").rstrip("\n")
