"""What a block is made of: fields and parts, the primitives of its mathematics, the laws of its fresh weights."""

from attn_core.spec.block import (
    Array,
    Block,
    Bound,
    Part,
    Parts,
    SpecError,
    complete,
    namespace,
    require,
    require_choice,
    require_momentum,
    require_names,
    require_odd,
    require_positive,
    require_rank,
    require_type,
)

__all__ = [
    "Array",
    "Block",
    "Bound",
    "Part",
    "Parts",
    "SpecError",
    "complete",
    "namespace",
    "require",
    "require_choice",
    "require_momentum",
    "require_names",
    "require_odd",
    "require_positive",
    "require_rank",
    "require_type",
]
