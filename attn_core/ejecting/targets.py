"""The frameworks that a block can be written for."""

from __future__ import annotations

TARGETS = ("torch", "keras", "linen", "nnx", "numpy")
