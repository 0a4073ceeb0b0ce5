"""The layers for Flax NNX."""

from typing import TYPE_CHECKING

from attn_core.deferred import handed_on
from attn_jax.nnx.binding import bind as bind
from attn_jax.nnx.binding import load as load
from attn_jax.nnx.binding import weights as weights
from attn_jax.nnx.blocks import *
from attn_jax.nnx.creating import create as create
from attn_jax.nnx.inserting.insert import insert as insert
from attn_jax.nnx.inserting.insert import new_parameters as new_parameters
from attn_jax.nnx.inserting.insert import remove as remove
from attn_jax.nnx.inserting.insert import without as without
from attn_jax.nnx.layer import Generic as Generic
from attn_jax.nnx.layer import Layer as Layer
from attn_jax.nnx.models import *
from attn_jax.nnx.recording import record_gates as record_gates

if not TYPE_CHECKING:  # checkers read the lines above
    __all__ = [*handed_on(__name__)]
