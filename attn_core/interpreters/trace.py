"""Interpreter: the reference once more, noting what each step of the definition computes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from numpy.typing import ArrayLike

from attn_core.interpreters import reference
from attn_core.interpreters.reference import ops
from attn_core.interpreters.reference.parts import Arrays, State, bind
from attn_core.spec import Block, Bound, Part
from attn_core.spec.primitives import Primitives

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
    output: Any
    inputs: tuple[Any, ...] = ()


Note = Callable[[str, str, Any, tuple[Any, ...]], None]


@dataclass(frozen=True)
class Interpreter:
    """Where a block is run: its primitives, where in a source the parts are, and what a part becomes there.

    Without `nested`, a block that is a part is one step.
    """

    f: Any
    below: Callable[[Any, str], Any]
    leaf: Callable[[Part | Block, Any], Any]
    nested: bool = True


def trace(block: Block, weights: Mapping[str, ArrayLike], x: reference.Given, train: bool = False) -> list[Step]:
    """Compute the block in float64 and return every step in the order of calls; the last one is `output`.

    A block that is a part is a step behind its own. Raises as `reference.evaluate` does.
    """
    arrays, inputs = reference.checked(block, weights, x)
    return steps(block, Arrays(arrays, State(train)), REFERENCE, inputs)


def steps(block: Block, source: Any, where: Interpreter, inputs: Sequence[Any]) -> list[Step]:
    """Run a block on arrays of an interpreter and return every step; see `trace`."""
    found: list[Step] = []

    def note(name: str, kind: str, output: Any, given: tuple[Any, ...]) -> None:
        flat = [array for each in given for array in (each if isinstance(each, list | tuple) else [each])]
        before = tuple(array for array in flat if hasattr(array, "shape"))
        if isinstance(output, list | tuple):
            found.extend(Step(f"{name}[{i}]", kind, piece, before) for i, piece in enumerate(output))
        else:
            found.append(Step(name, kind, output, before))

    note(OUTPUT, type(block).__name__, _bound(block, source, where, note, "")(*inputs), tuple(inputs))
    return found


def counted(found: Iterable[Step]) -> Iterator[tuple[Step, int]]:
    """Yield each step with how often its name has come before."""
    seen: Counter[str] = Counter()
    for step in found:
        yield step, seen[step.name]
        seen[step.name] += 1


def _bound(block: Block, source: Any, where: Interpreter, note: Note, prefix: str) -> Bound:
    parts = {}
    for name, part in block.parts().items():
        own, inside = where.below(source, name), f"{prefix}{name}."
        if isinstance(part, Block) and where.nested:
            run = _bound(part, own, where, note, inside)
        else:
            run = where.leaf(part, own)
        parts[name] = _Noted(run, note, prefix + name, type(part).__name__)
    noted = {name: _Noted(getattr(where.f, name), note, prefix + name, "primitive") for name in PRIMITIVES}
    return Bound(block, SimpleNamespace(**noted), parts)


REFERENCE = Interpreter(ops, lambda arrays, name: arrays.below(name), bind)


class _Noted:
    """A function that notes its calls; what else it has, as `update`, it keeps."""

    def __init__(self, function: Any, note: Note, name: str, kind: str) -> None:
        self._function, self._note, self._name, self._kind = function, note, name, kind

    def __call__(self, *given: Any) -> Any:
        output = self._function(*given)
        self._note(self._name, self._kind, output, given)
        return output

    def gates(self, *given: Any) -> dict[str, Any]:
        """Note each of a block's gates."""
        found: dict[str, Any] = self._function.gates(*given)
        for gate, output in found.items():
            self._note(f"{self._name}.gates[{gate}]", self._kind, output, given)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)
