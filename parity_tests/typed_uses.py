"""What mypy says of code that uses the layers: it is checked with the packages (`files` in pyproject.toml), never run.

A line that is ignored is a mistake that mypy must find: an ignore that nothing needs is an error itself.
"""

from __future__ import annotations

from typing import assert_type

from flax import nnx
from torch import Tensor
from torch import nn as torch_nn

import attn_core
import attn_jax.linen
import attn_jax.nnx
import attn_tf
import attn_torch


def calls_and_parts(x: Tensor, signal: Tensor) -> None:
    """Take calls for tensors, and parts for what they are."""
    cbam = attn_torch.CBAM(64)
    assert_type(cbam(x), Tensor)
    assert_type(cbam.channel, attn_torch.ChannelAttention)
    assert_type(cbam.channel.reduce, torch_nn.Linear)
    assert_type(cbam.channel(x), Tensor)
    assert_type(attn_torch.ResidualBlock(64, 64).attention(x), Tensor)
    assert_type(attn_torch.AttentionGate(64, 32)(x, signal), Tensor)
    assert_type(attn_torch.bind(attn_core.CBAM(64))(x), Tensor)
    assert_type(attn_torch.se_resnet_18(10)(x), Tensor)
    cbam(x, signal)  # type: ignore[call-arg]
    attn_torch.AttentionGate(64, 32)(x)  # type: ignore[call-arg]


def choices() -> None:
    """Misspell choices, and a field."""
    attn_core.NonLocal(64, mode="gausian")  # type: ignore[arg-type]
    attn_torch.ChannelAttention(64, pools="avg")  # type: ignore[arg-type]
    attn_tf.SqueezeExcitation(gate="sigmod")  # type: ignore[arg-type]
    attn_jax.linen.GlobalContext(fusion="mul")  # type: ignore[arg-type]
    attn_jax.nnx.SpatialTransformer(64, padding="zero", rngs=nnx.Rngs(0))  # type: ignore[arg-type]
    attn_torch.CBAM(64, kernl=3)  # type: ignore[call-arg]


def options_of_networks() -> None:
    """Use, and misspell, options of the functions that return networks."""
    attn_core.se_resnet_50(10, attention="cbam", width=32)
    attn_core.se_resnet_50(10, atention="cbam")  # type: ignore[call-arg]
    attn_torch.se_resnet_50(10, device="cpu", padding="same")
    attn_torch.se_resnet_50(10, padding="smae")  # type: ignore[arg-type]
    attn_torch.hybrid_sn(15, 11, drop=0.1)  # type: ignore[call-arg]
    attn_tf.se_resnet_18(10, data_format="channels_last", name="network")
    attn_tf.se_resnet_18(10, datformat="channels_last")  # type: ignore[call-arg]
    attn_jax.linen.se_resnet_18(10, axis_name="batch", name="network")
    attn_jax.linen.se_resnet_18(10, channels=3)  # type: ignore[call-arg]
    attn_jax.nnx.hybrid_sn(15, 11, rngs=nnx.Rngs(0), norm=True)
    attn_jax.nnx.hybrid_sn(15, 11, rngs=nnx.Rngs(0), norms=True)  # type: ignore[call-arg]
