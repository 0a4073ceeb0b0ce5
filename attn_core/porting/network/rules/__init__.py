"""What each TensorFlow operation is here."""

from attn_core.porting.network.rules import (
    arithmetic,
    blocks_of_pixels,
    dense,
    dilation,
    indices,
    joins,
    layers,
    norms,
    pointwise,
    pools,
    reductions,
    reshapes,
    resizing,
    shapes,
    slices,
    transposed,
)
from attn_core.porting.network.steps.lift import Rule

RULES: dict[str, Rule] = {
    **arithmetic.RULES,
    **blocks_of_pixels.RULES,
    **dense.RULES,
    **dilation.RULES,
    **indices.RULES,
    **joins.RULES,
    **layers.RULES,
    **norms.RULES,
    **pointwise.RULES,
    **pools.RULES,
    **reductions.RULES,
    **reshapes.RULES,
    **resizing.RULES,
    **shapes.RULES,
    **slices.RULES,
    **transposed.RULES,
}
