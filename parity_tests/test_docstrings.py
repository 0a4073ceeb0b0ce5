"""What an editor shows of a native class: every argument that it takes is explained."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import pytest
from runtimes import in_keras, need
from scaffold.files import every_block

# Arguments of every class of a framework, which its own pages explain.
THEIRS = {"self", "kwargs", "parent", "name"}
PACKAGES = {"torch": "attn_torch", "keras-tensorflow": "attn_tf", "linen": "attn_jax.linen", "nnx": "attn_jax.nnx"}
NAMES = [block.name for block in every_block()]


@pytest.mark.parametrize("runtime", PACKAGES)
def test_every_argument_is_explained(runtime: str):
    need(runtime)
    find = unexplained if runtime != "keras-tensorflow" else _in_keras
    assert find(PACKAGES[runtime]) == {}


def _in_keras(package: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = in_keras("tensorflow", "test_docstrings", "unexplained", package)
    return found


def unexplained(package: str) -> dict[str, list[str]]:
    """Return, by class, the arguments that its list of fields does not name."""
    module: Any = importlib.import_module(package)
    found = {name: _left_out(getattr(module, name)) for name in NAMES}
    return {name: left for name, left in found.items() if left}


def _left_out(kind: type) -> list[str]:
    told = (inspect.getdoc(kind) or "").partition("**Fields**")[2].partition("**Raises**")[0]
    explained = set(re.findall(r"``(\w+)``", told))
    return [name for name in inspect.signature(kind.__init__).parameters if name not in explained | THEIRS]
