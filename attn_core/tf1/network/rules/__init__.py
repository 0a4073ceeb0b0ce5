"""What each TensorFlow operation is here."""

from attn_core.tf1.network.lift import Rule
from attn_core.tf1.network.rules import indices, layers, norms, pointwise, reductions, shapes, windows

RULES: dict[str, Rule] = {
    **indices.RULES,
    **layers.RULES,
    **norms.RULES,
    **pointwise.RULES,
    **reductions.RULES,
    **shapes.RULES,
    **windows.RULES,
}
