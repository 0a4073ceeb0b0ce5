"""A block's output and its gates in one pass: a step that both need is taken once, however the block is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from attn_core.spec import Block

Gates = dict[str, Any]


class Pass(NamedTuple):
    """What one run of a block computes: its output, its gates, and those of them that are no part's."""

    output: Any
    gates: Gates
    own: Gates


def has_gates(block: Block) -> bool:
    """Say whether a block states any gates."""
    return type(block).gates is not Block.gates


def one_pass(block: Block, f: Any, p: Any, *inputs: Any) -> Pass:
    """Run `forward` and `gates` of a block on the same inputs, and each step of the two once.

    A step is known by its name and by the very arrays that go in. Parts that are blocks are called as ever, and must
    have `with_gates`, which returns the output and the gates of one call.
    """
    if not has_gates(block):
        return Pass(block.forward(f, p, *inputs), {}, {})
    primitives, parts = _Once(f), _Once(p)
    output = block.forward(primitives, parts, *inputs)
    gates: Gates = block.gates(primitives, parts, *inputs)
    handed_on = {id(gate) for gate in parts.gates()}
    return Pass(output, gates, {name: gate for name, gate in gates.items() if id(gate) not in handed_on})


class _Once:
    """Primitives or parts, each of which is run once on the same arrays."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._steps: dict[str, _Step] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._source, name)
        if not callable(found):
            return found
        return self._steps.setdefault(name, _Step(found))

    def gates(self) -> list[Any]:
        """Return all gates that parts have handed out."""
        return [gate for step in self._steps.values() for gate in step.handed_out()]


class _Step:
    """A primitive or a part, and what its calls returned; what else it has, as `update`, it keeps."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run
        self._known: dict[Any, Any] = {}

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Return the output."""
        return self._call(given, named)[0]

    def gates(self, *given: Any) -> Gates:
        """Return the gates of the call whose output is asked for elsewhere."""
        gates: Gates = self._call(given, {})[1]
        return gates

    def handed_out(self) -> list[Any]:
        """Return the gates of all calls."""
        return [gate for _, (_, gates) in self._known.values() for gate in gates.values()]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    def _call(self, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Gates]:
        key = _key((given, tuple(named.items())))
        if key not in self._known:
            run = getattr(self._run, "with_gates", None)
            result = run(*given, **named) if run else (self._run(*given, **named), {})
            self._known[key] = (given, named), result  # an array that is kept has an address of its own
        found: tuple[Any, Gates] = self._known[key][1]
        return found


def _key(value: Any) -> Any:
    """Return what tells inputs apart: numbers and texts by their value, arrays by their place in memory."""
    if isinstance(value, list | tuple):
        return tuple(_key(each) for each in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return type(value), id(value)
