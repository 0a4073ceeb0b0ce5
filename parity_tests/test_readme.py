"""What the README and docs/networks.md say works: examples run, paths exist, commands stand there once."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from runtimes import FRAMEWORKS, need
from terminal import NET

from attn_core.porting import whole_network
from attn_core.porting.network.inference import Options

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
# One process, so that each framework is imported once; names that one example makes are not there for the next.
EACH = "import sys\nfor example in sys.argv[1:]: print(example); exec(example, {})"


@pytest.mark.parametrize(
    ("page", "count", "written"),
    [("README.md", 6, ["se.safetensors"]), ("docs/networks.md", 6, []), ("docs/insert.md", 6, [])],
)
def test_examples_run_one_after_the_other(tmp_path: Path, page: str, count: int, written: list[str]):
    """One of the README's writes a file, and loads it in other frameworks."""
    for name in FRAMEWORKS:
        need(name)
    examples = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert len(examples) == count
    command = [sys.executable, "-c", EACH, *examples]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == written


def port_command(folder: Path) -> str:
    """Return the part of the first command that comes after the installation, with this interpreter's `attn`."""
    (command,) = re.findall(r"<!-- port -->\n```sh\n(.*?)```", README, re.DOTALL)
    _, _, ports = command.partition('".[torch,tf1]" &&\n')
    attn = f"{sys.executable} -c 'from attn_core.cli.main import main; main()'"
    return ports.replace(".venv/bin/attn", attn).replace("--out ported", f"--out {folder}/ported")


def test_first_command_ports_and_proves(tmp_path: Path):
    need("torch")
    done = subprocess.run(["bash", "-c", port_command(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folders = sorted((tmp_path / "ported").iterdir())
    assert [folder.name for folder in folders] == ["res_block2_net", "se_block"]
    for folder in folders:
        assert sorted(path.name for path in folder.iterdir()) == ["model.py", "port.json", "weights.safetensors"]


def test_first_command_fails_if_a_checkpoint_is_damaged(tmp_path: Path):
    need("torch")
    command = port_command(tmp_path)
    shutil.copytree(ROOT / "parity_tests/golden/tf1", tmp_path / "parity_tests/golden/tf1")
    data = tmp_path / "parity_tests/golden/tf1/se_block/model.ckpt.data-00000-of-00001"
    data.write_bytes(bytes([data.read_bytes()[0] ^ 1]) + data.read_bytes()[1:])
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "is damaged" in done.stderr
    assert not (tmp_path / "ported").exists()


def test_page_of_porting_shows_what_is_written():
    """The classes on the page are the ones that `attn port` makes."""
    page = (ROOT / "docs" / "porting.md").read_text()
    source = whole_network.read(NET / "model.ckpt-200", "torch", Options()).source
    shown = next(text for text in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if text.startswith("class "))
    assert shown in source.replace("\n\n\ndef load", "\n```")


def test_readme_has_two_commands_and_is_short():
    assert len(re.findall(r"```sh\n", README)) == 2
    assert len(README.splitlines()) < 200
