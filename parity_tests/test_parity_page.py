"""What docs/parity.md says of other people's layers and of pytest works; so does the recipe for CI."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from runtimes import need

DOCS = Path(__file__).parent.parent / "docs"
PAGE, RECIPE = (DOCS / "parity.md").read_text(), (DOCS / "ci.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ABOUT_TESTS = [example for example in EXAMPLES if "import pytest" in example]


def run(*command: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example not in ABOUT_TESTS])
def test_examples_run(tmp_path: Path, example: str):
    need("torch")
    need("keras-tensorflow")
    printed = run("-c", example, folder=tmp_path).splitlines()
    for shown in re.findall(r"print\(.*\)  # (.*)", example):
        assert shown in printed
    if "ParityError" in example:
        said = re.findall(r"```\n(The PyTorch.*?)```", PAGE, re.DOTALL)[0].splitlines()
        assert [line for line in said if "..." not in line] == [line for line in printed[2:] if line[0] != " "]


def test_tests_on_the_page_pass(tmp_path: Path):
    need("torch")
    (tests,) = ABOUT_TESTS
    (tmp_path / "test_mine.py").write_text(tests)
    plugins = ("-p", "no:attn", "-p", "attn_core.parity.pytest_plugin", "-p", "no:cacheprovider")
    options = (*plugins, "--strict-markers", "-q")
    assert "3 passed" in run("-m", "pytest", *options, "test_mine.py", folder=tmp_path)


def test_recipe_for_github():
    """It keeps the report whatever happened, and all its commands write it."""
    (workflow,) = re.findall(r"```yaml\n(.*?)```", RECIPE, re.DOTALL)
    (job,) = yaml.safe_load(workflow)["jobs"].values()
    *_, check, keep = job["steps"]
    assert keep["if"] == "always()"
    commands = [
        check["run"],
        *re.findall(r"(attn parity --blocks all.*?)\ncode", RECIPE.replace("\\\n", ""), re.DOTALL),
    ]
    assert len(commands) == 2
    for command in commands:
        assert all(option in command for option in ("--json", "--junit", "--html", "--require", "--seed"))


def test_recipe_for_a_shell(tmp_path: Path):
    """The script runs what is called `attn`, and ends as that does."""
    script = next(text for text in re.findall(r"```sh\n(.*?)```", RECIPE, re.DOTALL) if text.startswith("#!"))
    fake = tmp_path / "attn"
    fake.write_text('#!/bin/sh\necho "$@" > called\nexit 1\n')
    fake.chmod(0o755)
    (tmp_path / "parity.sh").write_text(script)
    done = subprocess.run(["sh", "parity.sh"], cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert done.returncode == 1
    assert "--html reports/parity.html" in (tmp_path / "called").read_text()
    assert (tmp_path / "reports").is_dir()
