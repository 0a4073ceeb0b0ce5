"""Interpreter: cost. Runs a block on the shapes of its inputs and counts what the steps do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from attn_core.interpreters import shapes
from attn_core.interpreters.shapes import Shape, output_shape
from attn_core.interpreters.shapes import ops as shape_ops
from attn_core.spec import Block, Bound, Part, parts

VIEWS = {"split", "group", "ungroup", "to_tokens", "to_image", "flatten", "matrices", "stop_gradient"}
VIEWS |= {"depth_to_channels", "channels_to_depth", "cut", "exchange"}  # they move nothing
# Others read one array.
OPERANDS = {"scale": 2, "shift": 2, "multiply": 2, "add": 2, "maximum": 2, "attend": 3, "sample": 2}


@dataclass
class Cost:
    """What a block does to one input.

    `multiply_adds` are those of dense layers, convolutions and products of matrices; elementwise work is not counted.
    `numbers_moved`: every step reads its operands and weights once and writes its result once, as without fusion.
    """

    parameters: int
    multiply_adds: int = 0
    numbers_moved: int = 0

    def move(self, *moved: Shape) -> None:
        """Count arrays that are read or written."""
        self.numbers_moved += sum(_size(shape) for shape in moved)


def cost(block: Block, *inputs: Sequence[int]) -> Cost:
    """Count the cost of a block for inputs of these canonical shapes; raises `ShapeError` if it cannot take them."""
    output_shape(block, *inputs)
    total = Cost(block.parameters())
    bind(block, total)(*map(tuple, inputs))
    return total


def _size(shape: Shape) -> int:
    return math.prod(size for size in shape if size is not None)


class Counter:
    """The primitives on shapes, counted."""

    def __init__(self, total: Cost) -> None:
        self.total = total

    def __getattr__(self, name: str) -> Callable[..., Any]:
        step = getattr(shape_ops, name)

        def run(*arguments: Any) -> Any:
            result = step(*arguments)
            if name not in VIEWS:
                self.total.move(*arguments[: OPERANDS.get(name, 1)], result)
            return result

        return run

    def concat(self, pieces: Sequence[Shape]) -> Shape:
        """See `Primitives.concat`."""
        result = shape_ops.concat(pieces)
        self.total.move(*pieces, result)
        return result

    def join(self, images: Sequence[Shape]) -> Shape:
        """See `Primitives.join`."""
        result = shape_ops.join(images)
        self.total.move(*images, result)
        return result

    def einsum(self, equation: str, *operands: Shape) -> Shape:
        """See `Primitives.einsum`."""
        result = shape_ops.einsum(equation, *operands)
        if len(operands) > 1:
            self.total.multiply_adds += _size(tuple(shape_ops.axes(equation, *operands).values()))
        self.total.move(*operands, result)
        return result

    def attend(self, query: Shape, key: Shape, value: Shape, factor: float) -> Shape:
        """See `Primitives.attend`."""
        result = shape_ops.attend(query, key, value, factor)
        pairs = _size((query[0], query[1], key[1]))
        self.total.multiply_adds += pairs * _size((query[2],)) + pairs * _size((value[2],))
        self.total.move(query, key, value, result)
        return result


@singledispatch
def bind(part: Part | Block, total: Cost) -> Any:
    """Turn a part into a function on shapes that counts."""
    run = shapes.bind(part, "")

    def counted(x: Shape) -> Shape:
        result: Shape = run(x)
        total.multiply_adds += _size(result) * _products(part)
        total.move(x, result, *(array.shape for array in part.arrays().values()))
        return result

    return counted


@bind.register
def _block(part: Block, total: Cost) -> Bound:
    return Bound(part, Counter(total), {name: bind(inner, total) for name, inner in part.parts().items()})


@bind.register(parts.Running)
@bind.register(parts.Dropout)
def _uncounted(part: Part, total: Cost) -> Any:
    return shapes.bind(part, "")


def _products(part: Part | Block) -> int:
    """Return how many multiply-adds one number of a part's result takes."""
    if isinstance(part, parts.Dense):
        return part.inputs
    if isinstance(part, parts.Conv):
        return part.inputs // part.groups * math.prod(part.kernel)
    return 0
