"""Timing layers in JAX; see `attn_core.parity.bench`."""
