"""What `find_blocks` returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from numpy.typing import NDArray

from attn_core.blocks import CBAM, ChannelAttention, SqueezeExcitation


@dataclass(frozen=True)
class FoundBlock:
    """An SE block of a TensorFlow 1 network, a CBAM block, or its channel half.

    Fields:
        name: the scope that holds just this block's variables, or else its first layer; unique in its network.
        block: its configuration.
        weights: its weights, canonical names and layouts, in the file's precision.
        variables: for each canonical name the name of the TensorFlow variable that was read.
        notes: what was chosen or assumed.
    """

    name: str
    block: SqueezeExcitation | CBAM | ChannelAttention
    weights: dict[str, NDArray[Any]] = field(repr=False, compare=False)
    variables: dict[str, str] = field(repr=False, hash=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings(Sequence[FoundBlock]):
    """The SE and CBAM blocks of a file, in the network's order.

    Fields:
        source: what was read.
        undecided: one sentence for each thing that looks like an SE block and was not returned.
        notes: what else there is to know about the file.
    """

    blocks: tuple[FoundBlock, ...]
    source: str
    undecided: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> FoundBlock: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[FoundBlock, ...]: ...
    def __getitem__(self, index: int | slice) -> FoundBlock | tuple[FoundBlock, ...]:
        return self.blocks[index]

    def __len__(self) -> int:
        return len(self.blocks)
