"""The names of the core are imported when they are asked for, and are all there."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import attn_core
from attn_core import parity

SOURCE = ast.parse(Path(attn_core.__file__).read_text())
QUIET = "import sys, attn_core.parity.pytest_plugin; print(*sys.modules)"


def test_every_name_is_typed_and_has_a_home():
    """Type checkers see imports, programs a table and the lists of two packages: both hold the same names."""
    (branch,) = (node for node in SOURCE.body if isinstance(node, ast.If))
    assert typed(branch.body) == set(attn_core.__all__)
    assert set(attn_core.__all__) <= set(dir(attn_core))
    assert all(getattr(attn_core, name) is not None for name in attn_core.__all__)


def typed(body: list[ast.stmt]) -> set[str]:
    """Return the names that statements make public: imported under their own name, or all of another package."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.AnnAssign):
            found.add(node.target.id)
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if alias.name == "*":
                found |= typed(ast.parse(Path(import_module(node.module).__file__).read_text()).body)
            elif alias.name == alias.asname:
                found.add(alias.name)
    return found


def test_modules_are_no_names():
    """They are imported without a look into the packages that list names, which may be about to be imported."""
    program = "import sys\nfrom attn_core import deferred, spec\nassert 'attn_core.blocks' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("package", [attn_core, parity])
def test_other_names_are_errors(package):
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'CBAN'"):
        package.CBAN  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'CBAN'"):
        exec(f"from {package.__name__} import CBAN")


def test_star_and_modules():
    names: dict[str, object] = {}
    exec("from attn_core import *\nfrom attn_core.parity import *", names)
    assert {*attn_core.__all__, *parity.__all__} <= names.keys()
    assert attn_core.interpreters.reference.evaluate is attn_core.evaluate


def test_plugin_of_pytest_imports_nothing():
    """What it costs who has it installed and does not use it; measured, 3 ms beside pytest itself, 180 ms before."""
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "numpy" not in loaded
    ours = {name for name in loaded if name.startswith("attn_")}
    assert ours == {"attn_core", "attn_core.deferred", "attn_core.parity", "attn_core.parity.pytest_plugin"}
