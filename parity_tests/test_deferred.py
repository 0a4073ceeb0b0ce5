"""The names of the core are imported when they are asked for, and are all there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import attn_core
from attn_core import parity

SOURCE = ast.parse(Path(attn_core.__file__).read_text())
QUIET = "import sys, attn_core.parity.pytest_plugin; print(*sys.modules)"


def test_every_name_is_typed_and_has_a_home():
    """Type checkers see imports, programs a table, `import *` a list: all three hold the same names."""
    (branch,) = (node for node in SOURCE.body if isinstance(node, ast.If))
    typed = {alias.name for node in branch.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    table, _ = (node for node in ast.walk(branch.orelse[1]) if isinstance(node, ast.Dict))
    homes = [name for names in table.values for name in ast.literal_eval(names)]
    assert sorted(homes) == sorted(typed) == sorted(attn_core.__all__)
    assert set(attn_core.__all__) <= set(dir(attn_core))
    assert all(getattr(attn_core, name) is not None for name in attn_core.__all__)


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
