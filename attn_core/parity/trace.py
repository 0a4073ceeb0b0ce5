"""Interpreter: the reference once more, noting what each step of the definition computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core import reference
from attn_core.primitives import Primitives
from attn_core.reference import ops
from attn_core.reference.parts import Arrays, State, bind
from attn_core.shapes import output_shape
from attn_core.spec import Block, Bound, Part
from attn_core.weights import check

Numbers = NDArray[Any]

PRIMITIVES = [name for name in vars(Primitives) if not name.startswith("_")]
OUTPUT = "output"  # the name of the last step, the whole block


@dataclass(frozen=True, eq=False)
class Step:
    """One call of a part or a primitive: `name` is as "channel.reduce" or "spatial.channel_max".

    `kind` is the class of the part, or "primitive". A name comes again with each call; of several results, as those of
    `split`, each is a step, "split[0]". `inputs` are the arrays that went in.
    """

    name: str
    kind: str
    output: Numbers
    inputs: tuple[Numbers, ...] = ()


Note = Callable[[str, str, Any, tuple[Any, ...]], None]


def trace(block: Block, weights: Mapping[str, ArrayLike], x: reference.Given, train: bool = False) -> list[Step]:
    """Compute the block in float64 and return every step in the order of calls; the last one is `output`.

    A block that is a part is a step behind its own. Raises as `reference.evaluate` does.
    """
    inputs = tuple(np.asarray(given, np.float64) for given in (x if isinstance(x, tuple) else (x,)))
    output_shape(block, *(given.shape for given in inputs))
    arrays = {name: array.astype(np.float64) for name, array in check(block, weights).items()}
    steps: list[Step] = []

    def note(name: str, kind: str, output: Any, given: tuple[Any, ...]) -> None:
        flat = [array for each in given for array in (each if isinstance(each, list) else [each])]
        before = tuple(array for array in flat if isinstance(array, np.ndarray))
        if isinstance(output, np.ndarray):
            steps.append(Step(name, kind, output, before))
        else:
            steps.extend(Step(f"{name}[{i}]", kind, piece, before) for i, piece in enumerate(output))

    bound = _bound(block, Arrays(arrays, State(train)), note, "")
    note(OUTPUT, type(block).__name__, bound(*inputs), inputs)
    return steps


def _bound(block: Block, arrays: Arrays, note: Note, prefix: str) -> Bound:
    parts = {name: _part(part, arrays.below(name), note, prefix + name) for name, part in block.parts().items()}
    noted = {name: _Noted(getattr(ops, name), note, prefix + name, "primitive") for name in PRIMITIVES}
    return Bound(block, SimpleNamespace(**noted), parts)


def _part(part: Part | Block, arrays: Arrays, note: Note, name: str) -> _Noted:
    own = _bound(part, arrays, note, f"{name}.") if isinstance(part, Block) else bind(part, arrays)
    return _Noted(own, note, name, type(part).__name__)


class _Noted:
    """A function that notes its calls; what else it has, as `gates` and `update`, it keeps."""

    def __init__(self, function: Any, note: Note, name: str, kind: str) -> None:
        self._function, self._note, self._name, self._kind = function, note, name, kind

    def __call__(self, *given: Any) -> Any:
        output = self._function(*given)
        self._note(self._name, self._kind, output, given)
        return output

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)
