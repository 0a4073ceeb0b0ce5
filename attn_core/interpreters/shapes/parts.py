"""The parts as functions on shapes."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

from attn_core.interpreters.shapes import ops
from attn_core.interpreters.shapes.ops import Shape, ShapeError, require_axis, require_space, slid
from attn_core.spec import Block, Bound, Part, parts


@singledispatch
def bind(part: Part | Block, name: str) -> Any:
    """Turn a part into a function on shapes; its name is for messages."""
    raise NotImplementedError(f"shapes have no {type(part).__name__}")


class CheckedShapes(Bound):
    """A block on shapes, which states the block's own rule before a step fails of it."""

    def __call__(self, *inputs: Any) -> Any:
        """Run the block."""
        block, _ = self._run
        if reason := block.refuses(*inputs):
            raise ShapeError(reason)
        return super().__call__(*inputs)


@bind.register
def _block(part: Block, name: str) -> Bound:
    prefix = f"{name}." if name else ""
    return CheckedShapes(part, ops, {child: bind(inner, prefix + child) for child, inner in part.parts().items()})


@bind.register
def _dense(part: parts.Dense, name: str) -> Callable[[Shape], Shape]:
    def run(x: Shape) -> Shape:
        require_axis(x[-1], part.inputs, f"{name}: Dense expects {part.inputs} features, got {x}")
        return (*x[:-1], part.outputs)

    return run


@bind.register
def _conv(part: parts.Conv, name: str) -> Callable[[Shape], Shape]:
    def run(x: Shape) -> Shape:
        require_space(x, part.rank, f"{name}: Conv")
        require_axis(x[1], part.inputs, f"{name}: Conv expects {part.inputs} channels, got {x}")
        return (x[0], part.outputs, *slid(x[2:], part.reach, part.stride, part.padding, f"{name}: Conv"))

    return run


@bind.register
def _batch_norm(part: parts.BatchNorm, name: str) -> Callable[[Shape], Shape]:
    def run(x: Shape) -> Shape:
        require_space(x, part.rank, f"{name}: BatchNorm")
        require_axis(x[1], part.channels, f"{name}: BatchNorm expects {part.channels} channels, got {x}")
        return x

    return run


@bind.register(parts.GroupNorm)
@bind.register(parts.Affine)
def _per_channel(part: parts.GroupNorm | parts.Affine, name: str) -> Callable[[Shape], Shape]:
    def run(x: Shape) -> Shape:
        require_axis(x[1], part.channels, f"{name}: {type(part).__name__} expects {part.channels} channels, got {x}")
        return x

    return run


@bind.register
def _layer_norm(part: parts.LayerNorm, name: str) -> Callable[[Shape], Shape]:
    def run(x: Shape) -> Shape:
        if len(x) != 2:
            raise ShapeError(f"{name}: LayerNorm takes vectors (batch, {part.features}), got {x}")
        require_axis(x[1], part.features, f"{name}: LayerNorm expects {part.features} features, got {x}")
        return x

    return run


@bind.register
def _dropout(part: parts.Dropout, name: str) -> Callable[[Shape], Shape]:
    return lambda x: x


class RunningShape:
    """A `Running` part: a call returns its shape."""

    def __init__(self, part: parts.Running) -> None:
        self.part = part

    def __call__(self) -> Shape:
        """Return the shape."""
        return self.part.shape

    def update(self, new: Shape) -> None:
        """Take the new value's shape."""
        ops.same(new, self.part.shape, "update")


@bind.register
def _running(part: parts.Running, name: str) -> RunningShape:
    return RunningShape(part)
