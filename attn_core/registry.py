"""Everything that has a name here: blocks and models."""

from __future__ import annotations

import dataclasses
from functools import partial

from attn_core import calls
from attn_core.blocks import BLOCKS
from attn_core.models import MODELS
from attn_core.spec import Block

KNOWN: dict[str, type[Block]] = BLOCKS | MODELS

FITTING = {  # where 64 will not do
    "ChannelShuffle": {"groups": 4},
    "ShuffleAttention": {"channels": 128},
    "PointwiseSpatialAttention": {"size": 30},
    "SEResNet": {"classes": 1000},
    "HybridSN": {"bands": 30, "size": 25},
}

parse = partial(calls.parse, known=KNOWN)  # text to a block; see `calls.parse`


def example(name: str) -> Block:
    """Return a block of this name with the default of every field; 64, or `FITTING`, stands for fields without one."""
    block, own = KNOWN[name], FITTING.get(name, {})
    required = (field.name for field in dataclasses.fields(block) if field.default is dataclasses.MISSING)
    return block(**{field: own.get(field, 64) for field in required})
