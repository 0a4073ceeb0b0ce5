"""What a dialect is: a block's names, layouts and options in somebody else's code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.spec import Block, SpecError
from attn_core.weights import Weights, check
from attn_core.weights.dialects.held import NamedArrays
from attn_core.weights.dialects.layout import Absent, Entry, Layer, Table
from attn_core.weights.dialects.meaning import differences
from attn_core.weights.dialects.numbered import uncounted
from attn_core.weights.dialects.sizes import Sizes
from attn_core.weights.files.arrays import array_of, plain
from attn_core.weights.files.errors import DialectError


class InexpressibleError(DialectError):
    """A block that a dialect cannot express; the message says why."""


COUNTER = "num_batches_tracked"  # what PyTorch's batch norm counts and nothing uses
_MOST_FAULTS = 8  # as many as a message lists

Infer = Callable[[Sizes, Mapping[str, Any]], Block]


def _nothing(block: Block) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, eq=False)
class Dialect:
    """One class of somebody's code and the block that means the same.

    - ``name``: "source.Class". ``block``: the class of the block here.
    - ``definition``: where the names are from. ``proven``: what of theirs was run, in recordings or by the tests.
    - ``differs``: in a sentence, what one must know about it.
    - ``infer``: makes the block from the sizes of their arrays and from options.
    - ``options``: what sizes do not tell, and the value in their class; None where `infer` has a rule.
    - ``table``: where the block's parts are.
    - ``anchors``: a name that each such block has, and the numbers of axes that it may have.
    - ``boundary``: the characters that end a prefix. ``scoped``: whether all behind a prefix is the block's.
    - ``called``: what the layer is called in networks, where many other layers have arrays of the same names.
    - ``numbered``: what TensorFlow calls the layers, which it numbers through; see `numbered.py`.
    - ``speaks``: what in a block's sizes speaks for this dialect. ``doubts``: what speaks against it.
    - ``hides``: dialects whose blocks parts of this one look like, without meaning the same.
    """

    name: str
    block: type[Block]
    definition: str
    differs: str
    infer: Infer
    table: Callable[[Any], Table]
    anchors: Mapping[str, tuple[int, ...]]
    options: Mapping[str, Any] = field(default_factory=dict)
    proven: tuple[str, ...] = ()
    boundary: str = "."
    scoped: bool = True
    called: str = ""
    numbered: str = ""
    speaks: Callable[[Any], Sequence[str]] = _nothing
    doubts: Callable[[Any], Sequence[str]] = _nothing
    hides: tuple[str, ...] = ()

    def configure(self, sizes: Sizes, options: Mapping[str, Any]) -> Block:
        """Return the block that arrays of these sizes are of."""
        if unknown := sorted(options.keys() - self.options.keys()):
            own = ", ".join(self.options) or "none"
            raise DialectError(f"{self.name} has no option {', '.join(unknown)}; what sizes do not tell there: {own}.")
        try:
            block = self.infer(sizes, {**self.options, **options})
        except (SpecError, TypeError) as error:  # of options, too
            raise DialectError(f"{self.name}: these sizes are no {self.block.__name__}: {error}") from None
        for name, value in options.items():
            if value is not None and getattr(block, name) != value:
                raise DialectError(f"{self.name}: the arrays say {name}={getattr(block, name)!r}, not {value!r}.")
        return block

    def entries(self, block: Block) -> list[Entry]:
        """Return each array of theirs and what it is of ours. **Raises** `InexpressibleError`."""
        if type(block) is not self.block:
            raise InexpressibleError(f"{self.name} cannot express {block!r}: it is a {self.block.__name__}.")
        found: dict[str, Entry] = {}
        table = self.table(block)
        for name, array in block.arrays().items():
            layer, leaf = self._place(table, block, name)
            if isinstance(layer, Layer):
                before = found.get(layer.key(leaf), Entry("", (), (), layer.turn(leaf)))
                ours, shapes = (*before.ours, name), (*before.shapes, array.shape)
                found[layer.key(leaf)] = Entry(layer.key(leaf), ours, shapes, layer.turn(leaf))
        return list(found.values())

    def absent(self, block: Block) -> dict[str, float]:
        """Return the arrays of ours that they do not have, and the value that means the same."""
        table = self.table(block)
        places = {name: self._place(table, block, name)[0] for name in block.arrays()}
        return {name: place.value for name, place in places.items() if isinstance(place, Absent)}

    def _place(self, table: Table, block: Block, name: str) -> tuple[Layer | Absent, str]:
        parts = [part for part in table if name == part or name.startswith(f"{part}.")]
        if not parts:
            raise InexpressibleError(f"{self.name} cannot express {block!r}: it has nothing that is {name}.")
        part = max(parts, key=len)
        place = table[part]
        return Layer(place) if isinstance(place, str) else place, name.removeprefix(part).removeprefix(".")

    def read(self, named: NamedArrays, prefix: str = "", **options: Any) -> tuple[Block, Weights]:
        """Read the block whose arrays are called `prefix` and then as here. **Raises** `DialectError`."""
        behind = {key.removeprefix(prefix): shape for key, shape in named.shapes.items() if key.startswith(prefix)}
        shapes = {key: shape for key, shape in behind.items() if not key.endswith(COUNTER)}
        block = self.configure(Sizes(self.name, shapes, prefix), options)
        entries = self.entries(block)
        self._require_all(block, entries, shapes, prefix)
        weights: Weights = {}
        for entry in entries:
            name = prefix + entry.key
            weights |= entry.take(array_of(name, named.arrays[name]))
        dtype = next(iter(weights.values())).dtype if weights else np.dtype("float32")
        for name, value in self.absent(block).items():
            weights[name] = np.full(block.arrays()[name].shape, value, dtype)
        return block, {name: np.array(weights[name], order="C") for name in block.arrays()}

    def _require_all(
        self, block: Block, entries: list[Entry], shapes: Mapping[str, tuple[int, ...]], prefix: str
    ) -> None:
        faults = [f"{prefix}{e.key} {e.shape} is missing" for e in entries if e.key not in shapes]
        faults += [f"{plain(prefix + key)} {shapes[key]} is left over" for key in self._strangers(entries, shapes)]
        faults += [
            f"{prefix}{e.key} must be {e.shape}, got {shapes[e.key]}"
            for e in entries
            if e.key in shapes and shapes[e.key] != e.shape
        ]
        if faults:
            more = [f"and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
            listed = "; ".join(faults[:_MOST_FAULTS] + more)
            raise DialectError(f"{self.name}: these are not the arrays of {block!r}: {listed}.")

    def _strangers(self, entries: list[Entry], shapes: Mapping[str, Any]) -> list[str]:
        known = {entry.key for entry in entries}
        layers = {key.rpartition("/")[0] for key in known}
        return [key for key in shapes if key not in known and (self.scoped or key.rpartition("/")[0] in layers)]

    def write(self, block: Block, weights: Mapping[str, ArrayLike], prefix: str = "") -> dict[str, NDArray[Any]]:
        """Return the arrays as their code loads them. **Raises** `InexpressibleError` where it has no such block."""
        entries = self.entries(block)
        own = check(block, weights)
        self._require_expressible(block, own, entries)
        state: dict[str, NDArray[Any]] = {}
        for entry in entries:
            state[prefix + entry.key] = np.array(entry.give(own), order="C")
            if "/" not in entry.key and entry.key.endswith(".running_var"):
                state[f"{prefix}{entry.key.removesuffix('running_var')}{COUNTER}"] = np.array(0, np.int64)
        return {uncounted(key, self.numbered): array for key, array in state.items()} if self.numbered else state

    def _require_expressible(self, block: Block, weights: Weights, entries: list[Entry]) -> None:
        """Raise `InexpressibleError` unless the block comes back as it was when their arrays are read."""
        shapes = {entry.key: entry.shape for entry in entries}
        try:
            back = self.configure(Sizes(self.name, shapes), {name: getattr(block, name) for name in self.options})
        except DialectError as error:
            raise InexpressibleError(f"{self.name} cannot express {block!r}: {error}") from None
        faults = [f"there {field} is {there!r}, not {here!r}" for field, there, here in differences(back, block)]
        faults += [
            f"there is no {name}, which would have to be {value:g} everywhere"
            for name, value in self.absent(block).items()
            if not (np.asarray(weights[name]) == value).all()
        ]
        if faults:
            raise InexpressibleError(f"{self.name} cannot express {block!r}: {'; '.join(faults)}.")
