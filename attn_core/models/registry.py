"""Everything that has a name here: blocks, models, and the functions that make models of well-known configuration."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial

from attn_core.blocks import BLOCKS
from attn_core.models import CONSTRUCTORS, MODELS
from attn_core.spec import Block, calls

KNOWN: dict[str, type[Block]] = BLOCKS | MODELS
NAMED: dict[str, Callable[..., Block]] = {**KNOWN, **CONSTRUCTORS}

PATCHES = {"bands": 30, "size": 25}
FITTING = {  # where 64 will not do
    "ChannelShuffle": {"groups": 4},
    "ShuffleAttention": {"channels": 128},
    "PointwiseSpatialAttention": {"size": 30},
    "SEResNet": {"classes": 1000},
    **dict.fromkeys(("HybridSN", "hybrid_sn", "hybrid_sn_2d_first", "hybrid_sn_attention"), PATCHES),
}

parse = partial(calls.parse, known=NAMED)  # text to a block; see `calls.parse`


def example(name: str) -> Block:
    """Return a block of this name with the default of every field; 64, or `FITTING`, stands for fields without one."""
    make, own = NAMED[name], FITTING.get(name, {})
    fields = [p for p in inspect.signature(make).parameters.values() if p.kind is not p.VAR_KEYWORD]
    return make(**{field.name: own.get(field.name, 64) for field in fields if field.default is field.empty})
