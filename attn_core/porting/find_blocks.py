"""Every attention block of a TensorFlow 1 network: SE by structure or names, CBAM in the network's steps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from attn_core.blocks import CBAM, ChannelAttention
from attn_core.porting import whole_network
from attn_core.porting.find.find import find_blocks as find_squeeze_excitation
from attn_core.porting.find.found import Findings, FoundBlock
from attn_core.porting.network.network import Network

KINDS = (CBAM, ChannelAttention)


def find_blocks(path: str | os.PathLike[str], *, averages: bool = True) -> Findings:
    """Find every SE and CBAM block of a network, and channel attention where it stands alone.

    With a graph (beside the checkpoint, in the SavedModel, or frozen) the structure decides: of SE mean over space,
    dense, relu, dense, sigmoid, product with the same image; the others are what `attn port` reads in the whole
    network, which is run for it. Without a graph, names and shapes decide, and each block says so. What cannot be
    decided is in `Findings.undecided`, never among the blocks.

    ``path`` is a checkpoint (its prefix, one of its files, or its folder), a SavedModel folder or a frozen graph (.pb).
    ``averages`` says whether to take the moving averages of the weights where a checkpoint has them.
    A `CheckpointError` says that a file is damaged or not what its name says, a `FileNotFoundError` that there is none.
    """
    found = find_squeeze_excitation(path, averages=averages)
    if not whole_network.takes_maxima(Path(path)):
        return found
    try:
        network = whole_network.network(Path(path), averages=averages)
    except (ValueError, OSError) as error:  # a network that cannot be run may have SE blocks all the same
        return replace(found, notes=(*found.notes, f"CBAM could not be looked for: {error}"))
    more = list(_with_maxima(network))
    # The products of these blocks look like an SE block's, and are explained now.
    explained = tuple(f"'{block.name}/" for block in more)
    undecided = tuple(sentence for sentence in found.undecided if not sentence.startswith(explained))
    return replace(found, blocks=_in_order(network, [*found.blocks, *more]), undecided=undecided)


def _with_maxima(network: Network) -> Iterator[FoundBlock]:
    """Yield the blocks whose gates know maxima, in the network's order."""
    source = network.source
    for step in network.steps:
        if step.kind != "attention" or not isinstance(step.fields["block"], KINDS):
            continue
        arrays = step.arrays
        weights = {role: leaf.array(source.read) for role, leaf in arrays.items()}
        names = {role: ", ".join(source.taken.get(name, name) for name in leaf.names) for role, leaf in arrays.items()}
        yield FoundBlock(network.called[step.name], step.fields["block"], weights, names)


def _in_order(network: Network, blocks: Iterable[FoundBlock]) -> tuple[FoundBlock, ...]:
    """Put blocks into the order in which the network reads their first variables."""
    places: dict[str, int] = {}
    for number, step in enumerate(network.steps):
        for name in (name for leaf in step.arrays.values() for name in leaf.names):
            places.setdefault(network.source.taken.get(name, name), number)

    def place(block: FoundBlock) -> int:
        first = next(iter(block.variables.values()))
        return places.get(first, len(network.steps))

    return tuple(sorted(blocks, key=place))
