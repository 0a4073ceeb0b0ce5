"""Turning the layers that were recognised into blocks with their weights."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from attn_core.blocks.cbam import CBAM
from attn_core.blocks.squeeze_excitation import SqueezeExcitation
from attn_core.porting.find.found import FoundBlock
from attn_core.porting.find.kernels import DensePair
from attn_core.porting.find.naming import names, shared
from attn_core.porting.find.variables import Catalogue, MissingWeights, choose
from attn_core.porting.graph.graph import Graph
from attn_core.porting.graph.reads import Stored
from attn_core.spec import SpecError
from attn_core.weights.files.tf1.checkpoint import Checkpoint

_Arrays = dict[str, NDArray[Any]]


class Reader(Protocol):
    """Where weights come from: a graph's constants or a checkpoint."""

    def read(self, wanted: Mapping[str, Stored]) -> tuple[_Arrays, dict[str, str], tuple[str, ...]]:
        """Return the arrays, the names they were read by, and notes; raise `MissingWeights` if there are none."""


@dataclass(frozen=True)
class Constants:
    """The weights that a graph holds itself."""

    graph: Graph

    def read(self, wanted: Mapping[str, Stored]) -> tuple[_Arrays, dict[str, str], tuple[str, ...]]:
        """Return the values of constants."""
        if outside := [each.name for each in wanted.values() if not each.frozen]:
            names = ", ".join(outside)
            raise MissingWeights(f"{names} are variables, whose values are in a checkpoint and not in this file")
        arrays = {role: each.values(self.graph) for role, each in wanted.items()}
        return arrays, {role: each.name for role, each in wanted.items()}, ()


@dataclass(frozen=True)
class Variables:
    """The weights in a checkpoint, themselves or as moving averages."""

    checkpoint: Checkpoint
    known: Catalogue
    averages: bool

    def read(self, wanted: Mapping[str, Stored]) -> tuple[_Arrays, dict[str, str], tuple[str, ...]]:
        """Return the values of variables."""
        if fixed := [each.name for each in wanted.values() if each.frozen]:
            raise MissingWeights(f"its weights {', '.join(fixed)} are constants of the graph, not variables")
        taken, notes = choose(self.known, [each.name for each in wanted.values()], self.averages)
        arrays = {role: self._checked(taken[each.name], each.shape) for role, each in wanted.items()}
        return arrays, {role: taken[each.name] for role, each in wanted.items()}, notes

    def _checked(self, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
        held = self.checkpoint.shape(name)
        if held != shape:
            raise MissingWeights(f"{name} has the shape {list(held)} in the checkpoint and {list(shape)} in the graph")
        return self.checkpoint[name]


def assemble(
    pairs: list[DensePair], others: Collection[str], reader: Reader
) -> tuple[tuple[FoundBlock, ...], list[str]]:
    """Name the blocks among all the weights ``others``, read them, and tell which cannot be had."""
    blocks, doubts = [], []
    called = names(pairs, others)
    for name, pair, sharing in zip(called, pairs, shared(pairs, called), strict=True):
        try:
            blocks.append(_block(name, pair, sharing, reader))
        except (MissingWeights, SpecError) as reason:
            kind = "a CBAM" if pair.planes else "an SE"
            doubts.append(f"{name!r} is {kind} block that cannot be returned: {str(reason).rstrip('.')}.")
    return tuple(blocks), doubts


def _block(name: str, pair: DensePair, sharing: tuple[str, ...], reader: Reader) -> FoundBlock:
    arrays, variables, chosen = reader.read(pair.stored)
    if strange := [f"{variables[role]} ({array.dtype})" for role, array in arrays.items() if array.dtype.kind != "f"]:
        raise MissingWeights(f"weights must be floating-point numbers, which {', '.join(strange)} are not")
    kernels = {"reduce.weight": pair.reduce.kernel, "expand.weight": pair.expand.kernel}
    weights = {
        role: kernels[role].canonical(array) if role in kernels else np.array(array.reshape(-1), order="C")
        for role, array in arrays.items()
    }
    if pair.planes:
        weights["conv.weight"] = pair.planes.canonical(arrays["conv.weight"])
    block = _block_of(pair)
    roles = {_in_halves(role) if pair.planes else role: role for role in arrays}
    ordered = block.arrays()
    return FoundBlock(
        name,
        block,
        {place: weights[roles[place]] for place in ordered},
        {place: variables[roles[place]] for place in ordered},
        (*pair.notes, *chosen, *sharing),
    )


def _block_of(pair: DensePair) -> SqueezeExcitation | CBAM:
    channels, hidden = pair.reduce.kernel.sizes
    bias = pair.reduce.bias is not None
    if pair.planes is None:
        return SqueezeExcitation(channels, hidden=hidden, bias=bias, activation=pair.activation, gate=pair.gate)
    length, *_ = pair.planes.kernel.shape
    return CBAM(channels, hidden=hidden, bias=bias, kernel=length, spatial_bias=pair.planes.bias is not None)


def _in_halves(role: str) -> str:
    """Return the name that an array has in CBAM."""
    return f"spatial.{role}" if role.startswith("conv.") else f"channel.{role}"
