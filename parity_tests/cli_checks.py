"""The command `attn` in a process that has its own Keras backend."""

from __future__ import annotations

import os

from typer.testing import CliRunner


def attn(folder: str, *args: str) -> int:
    """Run the command in a folder; return its exit code."""
    from attn_core.cli.main import main

    before = os.getcwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(main, list(args), env={"COLUMNS": "80"}).exit_code
    finally:
        os.chdir(before)
