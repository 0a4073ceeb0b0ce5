"""A layer named on the command line, as `my_package.layers:MySE`, against a block."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from attn_core.models.registry import parse
from attn_core.parity.foreign.checking import check
from attn_core.parity.foreign.layer import ForeignError, adapter, adopt, framework
from attn_core.parity.foreign.settings import settled
from attn_core.parity.result import Cell
from attn_core.spec import Block
from attn_core.weights import dialects


def check_foreign(
    path: str,
    block: str | None = None,
    *,
    dialect: str | None = None,
    arguments: str = "",
    mapping: Mapping[str, str] | None = None,
    shape: Sequence[int] | None = None,
    dtype: str = "float32",
    modes: Sequence[str] | None = None,
    seed: int = 0,
    draws: int = 3,
    data_format: str | None = None,
) -> list[Cell]:
    """Compare the layer that is called `module.path:Name` with a block, given as text; return a cell for each mode.

    `Name` is a class or function, called with `arguments` such as "64, reduction=16", or a layer. Without a block, it
    is the one that the dialect, or the arrays themselves, tell; then a shape is needed.
    **Raises** `ForeignError`, `SpecError`, `DialectError`, `ShapeError` with a sentence that says what is wrong.
    """
    layer = load(path, arguments, seed)
    known = parse(block) if block is not None else _told(layer, dialect, shape)
    rest: dict[str, Any] = {"dtype": dtype, "seed": seed, "draws": draws, "data_format": data_format}
    cells = check(layer, known, settled(known, shape, modes, **rest), dialect, mapping).cells
    # A cell shows the command that runs it again.
    command = path
    if arguments:
        command += f' --args "{arguments}"'
    if dialect:
        command += f" --dialect {dialect}"
    return [replace(cell, layer=command) for cell in cells]


def load(path: str, arguments: str = "", seed: int = 0) -> Any:
    """Return the layer of that name, made with these arguments. **Raises** `ForeignError`."""
    module, colon, name = path.partition(":")
    if not (module and colon and name):
        raise ForeignError(f"{path!r} names no layer: give module.path:Name, as my_package.layers:MySE.")
    thing = _imported(module)
    for part in name.split("."):
        if not hasattr(thing, part):
            raise ForeignError(f"{module} has no {name}.")
        thing = getattr(thing, part)
    if framework(thing) is not None and not isinstance(thing, type):
        return thing
    if not callable(thing):
        raise ForeignError(f"{path} is an object of {type(thing).__name__}, no layer of a known framework.")
    return _made(path, thing, arguments, seed)


def _imported(module: str) -> Any:
    # A console script does not look for modules in the current folder, as `python -m` does.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        # Somebody's module may be there, and import another one that is not.
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            raise ForeignError(f"There is no module {module} here, in {os.getcwd()}, nor installed.") from None
        raise ForeignError(f"{module} cannot be imported: {error}.") from error
    except Exception as error:
        raise ForeignError(f"{module} cannot be imported: {type(error).__name__}: {error}.") from error


def _made(path: str, kind: Any, arguments: str, seed: int) -> Any:
    values, fields = _parsed(arguments)
    runtime = framework(kind)
    if isinstance(kind, type) and runtime is None:
        raise ForeignError(f"{path} is a class of no known framework: no nn.Module, Keras layer, or Flax module.")
    if runtime is not None:
        # A class of NNX takes the generator of its weights as an argument, or takes none and makes its own.
        own = adapter(runtime).beginning(seed)
        known = _names(kind)
        fields = {name: value for name, value in own.items() if name in known} | fields
    try:
        return kind(*values, **fields)
    except Exception as error:
        raise ForeignError(f"{path}({arguments}) cannot be made: {type(error).__name__}: {error}.") from error


def _names(kind: Any) -> Sequence[str]:
    # Of `__init__`: the class itself takes anything in NNX.
    try:
        return list(inspect.signature(kind.__init__).parameters)
    except (TypeError, ValueError):
        return []


def _parsed(arguments: str) -> tuple[list[Any], dict[str, Any]]:
    # Literals alone: an option of a command runs no code.
    try:
        call = ast.parse(f"f({arguments})", mode="eval").body
        if not isinstance(call, ast.Call):
            raise ValueError
        values = [ast.literal_eval(each) for each in call.args]
        fields = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        return values, fields
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        rule = "give numbers, texts, True, False or None, as 64, reduction=16"
        raise ForeignError(f"{arguments!r} are no arguments: {rule}.") from None


def _told(layer: Any, dialect: str | None, shape: Sequence[int] | None) -> Block:
    """Return the block that a layer of ours is, or that the arrays of another one say."""
    if shape is None:
        raise ForeignError("Name the block, as --block 'SqueezeExcitation(channels=64)', or give a shape.")
    theirs = adopt(layer, shape)
    own, state = theirs.own(), theirs.state()
    if own is not None:
        block, _ = own
        return block
    found = [dialect] if dialect else [guess.dialect for guess in dialects.guess(state) if guess.score == 1]
    if not found:
        raise ForeignError(f"{theirs.title} has arrays of no known block: name the block, and a dialect or a map.")
    block, _ = dialects.read(found[0], state)
    return block
