"""What each TensorFlow operation is here."""

from attn_core.porting.network.rules import indices, layers, norms, pointwise, reductions, shapes, windows
from attn_core.porting.network.steps.lift import Rule

RULES: dict[str, Rule] = {
    **indices.RULES,
    **layers.RULES,
    **norms.RULES,
    **pointwise.RULES,
    **reductions.RULES,
    **shapes.RULES,
    **windows.RULES,
}
