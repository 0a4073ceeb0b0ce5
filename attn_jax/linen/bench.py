"""Where layers of Linen are timed; see `attn_jax.bench`."""

from __future__ import annotations

from functools import partial

from attn_jax.bench import stand as shared
from attn_jax.linen.runtime import purify

stand = partial(shared.stand, purify)
