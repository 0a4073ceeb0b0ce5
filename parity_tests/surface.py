"""The names that packages make public beside blocks, networks and what all packages have."""

from __future__ import annotations

COMMON = {"Generic", "Layer", "bind", "create", "insert", "load", "new_parameters", "record_gates", "remove", "weights"}
EXTRA = {
    "attn_tf": {"se_block", "res_block2", "without"},
    "attn_jax.linen": set(),
    "attn_jax.nnx": {"without"},
    "attn_torch": {"load_pretrained", "old_parameters", "replace", "synchronized", "without"},
}
