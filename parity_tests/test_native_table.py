"""Each block finds its native class, and what users define beside ours does not stand in its way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from runtimes import need

PACKAGES = {"attn_torch": "torch", "attn_tf": "keras-tensorflow", "attn_jax.linen": "linen", "attn_jax.nnx": "nnx"}
SCRIPT = Path(__file__).with_name("native_table.py")


@pytest.mark.parametrize("package", PACKAGES)
def test_table(package: str):
    """In a process of its own, since modules are imported again there."""
    need(PACKAGES[package])
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, SCRIPT, package], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
