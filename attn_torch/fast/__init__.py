"""Faster forms of blocks: their mathematics stands in `attn_core.blocks`, here is the same in fewer passes."""

from attn_torch.fast import cbam as cbam
from attn_torch.fast import channel_attention as channel_attention
from attn_torch.fast import global_context as global_context
from attn_torch.fast import shuffle_attention as shuffle_attention
from attn_torch.fast import squeeze_excitation as squeeze_excitation
