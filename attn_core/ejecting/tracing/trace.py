"""Interpreter: symbols. Runs a block and notes its steps, as a source of another framework will have them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attn_core.ejecting.tracing.names import heard
from attn_core.ejecting.tracing.symbols import ARRAYS, IMAGES, Step, Symbol, Trace, symbols_in
from attn_core.interpreters.shapes import Shape, ops
from attn_core.interpreters.shapes import bind as on_shapes
from attn_core.spec import Block, Part, namespace, parts


def trace(block: Block, shapes: Sequence[Shape]) -> Trace:
    """Run a block on symbols of these canonical shapes."""
    names = _names(block, len(shapes))
    inputs = [Symbol(shape, i < block.images, name) for i, (name, shape) in enumerate(zip(names, shapes, strict=True))]
    return _run(block, dict(zip(names, inputs, strict=True)), _is_fixed(block, shapes))


def _names(block: Block, count: int) -> list[str]:
    """Return what a definition calls its inputs."""
    found = inspect.signature(block.forward).parameters.values()
    names = [each.name for each in found if each.kind is not each.VAR_POSITIONAL][2 : 2 + count]
    return names if len(names) == count else ["x", *block.inputs[1:count]]


def _is_fixed(block: Block, shapes: Sequence[Shape]) -> bool:
    """Say whether a block takes images of one size only."""
    larger = [(*shape[:2], *(n + 1 for n in shape[2:] if n is not None)) for shape in shapes]
    return block.refuses(*shapes) is None and block.refuses(*larger) is not None


def _run(block: Block, inputs: dict[str, Symbol], is_fixed: bool) -> Trace:
    found = Trace(block, inputs, is_fixed=is_fixed)
    p = namespace({name: _part(found, name, part, is_fixed) for name, part in block.parts().items()})
    with heard(found):
        found.result = block.forward(Recorder(found), p, *inputs.values())
    return found


class Recorder:
    """The primitives on symbols."""

    def __init__(self, found: Trace) -> None:
        self._found = found

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, name)

    def _call(self, kind: str, *given: Any) -> Any:
        if (same := self._unchanged(kind, given)) is not None:
            return same
        shape = getattr(ops, kind)(*_shapes(given))
        return noted(self._found, kind, given, shape, _is_image(kind, given, shape))

    def _unchanged(self, kind: str, given: tuple[Any, ...]) -> Any:
        """Return what a step returns that does nothing in this configuration; None for any other."""
        match kind, given:
            case "concat", ([x],):
                return x
            case "join", ([x],) if len(x.shape) == 3:
                return x
            case "cut", (x, [like]) if len(like.shape) == 3:
                return [x]
            case "split", (x, 1):
                return [x]
            case (("group" | "ungroup" | "channel_shuffle"), (x, 1)):
                return x
            case "linear", (x, 1) | (x, 1, 0):
                return x
            case "adaptive_mean", (x, size) if not any(size) or (self._found.is_fixed and x.shape[2:] == size):
                return x  # of a fixed size, the definition asks for the one that it takes
        return None


def noted(found: Trace, kind: str, given: tuple[Any, ...], shape: Any, is_image: bool, part: str = "") -> Any:
    """Add a step to a trace and return its output, or outputs where it returns several shapes."""
    many = isinstance(shape, list)
    outputs = [Symbol(each, is_image) for each in (shape if many else [shape])]
    found.steps.append(Step(kind, given, outputs, part))
    return outputs if many else outputs[0]


def _shapes(value: Any) -> Any:
    if isinstance(value, Symbol):
        return value.shape
    return type(value)(map(_shapes, value)) if isinstance(value, list | tuple) else value


def _is_image(kind: str, given: tuple[Any, ...], shape: Any) -> bool:
    """Say whether a primitive returns an image."""
    if kind in IMAGES:
        return True
    if kind in ARRAYS or (kind == "depth_to_channels" and len(shape) == 2):
        return False
    return any(symbol.is_image for symbol in symbols_in(given))


# ---- parts -----------------------------------------------------------------------------------------------------------


def _part(found: Trace, name: str, part: Part | Block, is_fixed: bool) -> Any:
    if isinstance(part, Block):
        return partial(_nested, found, name, part, is_fixed)
    if isinstance(part, parts.Running):
        return RunningSymbol(found, name, part)
    return partial(_leaf, found, name, part)


def _leaf(found: Trace, name: str, part: Part, x: Symbol) -> Symbol:
    shape = on_shapes(part, name)(x.shape)
    output: Symbol = noted(found, type(part).__name__, (x,), shape, x.is_image, name)
    return output


def _nested(found: Trace, name: str, block: Block, is_fixed: bool, *inputs: Symbol) -> Symbol:
    names = _names(block, len(inputs))
    own = {own: Symbol(given.shape, given.is_image, own) for own, given in zip(names, inputs, strict=True)}
    run = found.inside.setdefault(name, _run(block, own, is_fixed))
    for own_name, given in zip(names, inputs, strict=True):
        if own_name != "x":  # what the block inside calls it
            given.name = given.name or own_name
    output: Symbol = noted(found, "Block", inputs, run.output.shape, run.output.is_image, name)
    return output


class RunningSymbol:
    """A `Running` part: a call reads it, `update` moves it."""

    def __init__(self, found: Trace, name: str, part: parts.Running) -> None:
        self._found, self._name, self._part = found, name, part

    def __call__(self) -> Symbol:
        """Read the array."""
        output: Symbol = noted(self._found, "Running", (), self._part.shape, False, self._name)
        return output

    def update(self, new: Symbol) -> None:
        """Move the array; a step without output."""
        self._found.steps.append(Step("update", (new,), [], self._name))
