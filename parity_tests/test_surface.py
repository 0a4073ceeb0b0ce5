"""Every package offers the same functions, and every native class the same fields with the same defaults."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from surface import COMMON, EXTRA

from attn_core.models import MODELS
from attn_core.models.registry import KNOWN

ROOT = Path(__file__).parent.parent
FOR_LAYERS = ["kernel_init", "bias_init", "precision", "promote_dtype"]
PACKAGES = {
    "attn_torch": ["device", "dtype"],
    "attn_tf": ["data_format", "kwargs"],
    "attn_jax/linen": ["dtype", "param_dtype"],
    "attn_jax/nnx": ["dtype", "param_dtype", "axis_name", *FOR_LAYERS, "rngs"],
}
CONSTRUCTORS = {f"se_resnet_{depth}" for depth in (18, 34, 50, 101, 152)}
CONSTRUCTORS |= {"hybrid_sn", "hybrid_sn_2d_first", "hybrid_sn_attention"}
CHANNELS_FROM_INPUT = ("attn_tf", "attn_jax/linen")


def handed_on(package: str) -> set[str]:
    """Return the names that a package makes public, as a type checker reads them from its source."""
    found: set[str] = set()
    for node in source(package, "__init__.py").body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if alias.name == "*":
                found |= handed_on(node.module.replace(".", "/"))
            elif alias.name == alias.asname:
                found.add(alias.name)
    return found


def source(package: str, name: str) -> ast.Module:
    return ast.parse((ROOT / package / name).read_text())


@pytest.mark.parametrize("package", PACKAGES)
def test_exports(package: str):
    """That programs get the same names is asserted in `native_table.py`."""
    assert handed_on(package) == COMMON | EXTRA[package.replace("/", ".")] | {*KNOWN, *CONSTRUCTORS}


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("block", KNOWN)
def test_fields(package: str, block: str):
    """Read from the source, so that no framework is needed."""
    folder, module = "models" if block in MODELS else "blocks", KNOWN[block].__module__.rpartition(".")[2]
    classes = [n for n in source(package, f"{folder}/{module}.py").body if isinstance(n, ast.ClassDef)]
    (native,) = (each for each in classes if each.name == block)
    wanted = {
        name: "..." if p.default is p.empty else repr(p.default)
        for name, p in inspect.signature(KNOWN[block]).parameters.items()
    }
    if package in CHANNELS_FROM_INPUT:
        wanted = {name: default for name, default in wanted.items() if name not in ("channels", "rank")}
    found = fields_of_dataclass(native) if package == "attn_jax/linen" else arguments_of_init(native)
    assert {name: found[name] for name in wanted} == wanted
    assert list(found)[: len(wanted)] == list(wanted)
    if package != "attn_jax/linen":
        assert list(found)[len(wanted) :] == PACKAGES[package]


def arguments_of_init(native: ast.ClassDef) -> dict[str, str]:
    (init,) = (n for n in native.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    arguments = init.args
    given = [*arguments.args[1:], *arguments.kwonlyargs]
    empty = [None] * (len(arguments.args) - 1 - len(arguments.defaults))
    defaults = [*empty, *arguments.defaults, *arguments.kw_defaults]
    found = {a.arg: "..." if d is None else ast.unparse(d) for a, d in zip(given, defaults, strict=True)}
    return found | ({arguments.kwarg.arg: "..."} if arguments.kwarg else {})


def fields_of_dataclass(native: ast.ClassDef) -> dict[str, str]:
    fields = [n for n in native.body if isinstance(n, ast.AnnAssign) and n.target.id != "_"]
    return {n.target.id: "..." if n.value is None else ast.unparse(n.value) for n in fields}
