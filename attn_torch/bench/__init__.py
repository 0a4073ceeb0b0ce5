"""Timing layers in PyTorch; see `attn_core.parity.bench`."""

from attn_torch.bench.stand import stand as stand
