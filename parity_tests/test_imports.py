"""Each package imports with its own framework alone, and the core with none."""

from __future__ import annotations

import subprocess
import sys

import pytest
from runtimes import need

FRAMEWORKS = {"torch", "tensorflow", "keras", "jax", "flax"}
PACKAGES = {
    "attn_core": set(),
    "attn_core.porting.tf1": set(),
    "attn_core.weights.dialects": set(),
    "attn_core.parity.foreign.asserting": set(),
    "attn_core.parity.pytest_plugin": set(),
    "attn_core.cli.main": set(),
    "attn_torch": {"torch"},
    "attn_jax.linen": {"jax", "flax"},
    "attn_jax.nnx": {"jax", "flax"},
}
PROGRAM = """
import importlib.abc, os, sys

package, backend, *forbidden = sys.argv[1:]
os.environ["KERAS_BACKEND"] = backend

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
__import__(package)
installed = {name for name, module in sys.modules.items() if "site-packages" in (getattr(module, "__file__", 0) or "")}
print(*{name.partition(".")[0] for name in installed})
"""


def loaded_by(package: str, forbidden: set[str], backend: str = "jax") -> set[str]:
    """Import a package where the forbidden frameworks cannot be found; return what it loaded of those installed."""
    arguments = [sys.executable, "-c", PROGRAM, package, backend, *forbidden]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name for name in done.stdout.split() if not name.startswith("_")}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_without_other_frameworks(package: str):
    own = PACKAGES[package]
    if own:
        need("torch" if "torch" in own else "nnx")
    assert loaded_by(package, FRAMEWORKS - own) & FRAMEWORKS == own


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_keras_package_imports_with_one_backend(backend: str):
    need(f"keras-{backend}")
    own = {"keras", backend}
    # Keras itself looks at TensorFlow where it is installed.
    assert loaded_by("attn_tf", {"flax", "torch", "jax"} - own, backend) >= own


def test_core_loads_numpy_and_safetensors_only():
    """What keeps the import under 0.2 s; the time itself depends on the machine."""
    assert loaded_by("attn_core", set()) <= {"numpy", "safetensors"}
    assert loaded_by("attn_core.weights.dialects", set()) <= {"numpy", "safetensors"}
    assert loaded_by("attn_core.parity.report", set()) <= {"numpy", "safetensors"}


def test_missing_framework_is_named():
    program = "import sys; sys.modules['torch'] = None\nfrom attn_core import parity\nparity.runtime('torch')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == (
        "attn_core.parity.runtimes.MissingRuntimeError: The runtime torch cannot be imported (import of torch halted; "
        "None in sys.modules). Install it: pip install 'attn-blocks[torch]'"
    )
