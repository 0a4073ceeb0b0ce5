"""What the sources for NNX and Linen have in common."""

from __future__ import annotations

from typing import ClassVar

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write import grids, resizing
from attn_core.porting.write.attention import block_arguments, block_name
from attn_core.porting.write.channels_last import ChannelsLast, kept, without_bias
from attn_core.porting.write.classes import LayerMember
from attn_core.porting.write.forward import Code
from attn_core.porting.write.region import WEIGHTED
from attn_core.porting.write.spelling import CallText, named, only_if

KERNELS = {"weight": "kernel"}
NORMS = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}


def leaf_name(step: Step, leaf: str) -> str:
    """Return Flax's name of a canonical leaf."""
    if step.kind not in WEIGHTED:
        return ""
    names = NORMS if step.kind == "norm" else KERNELS
    scope, dot, last = leaf.rpartition(".")
    return f"{scope}{dot}{names.get(last, last)}"


class Flax(ChannelsLast):
    """Writes layers as both of Flax's interfaces have them.

    Fields:
        module: the interface's name in the source.
        blocks: the package of its attention blocks.
        sized: whether layers are told the number of their input's channels.
    """

    arrays = "jnp"
    resize = resizing.JAX
    grids = grids.JAX
    activations = "jax.nn"
    module: ClassVar[str]
    blocks: ClassVar[str]
    sized: ClassVar[bool]
    functions: ClassVar[dict[str, str]] = {
        "relu": "jax.nn.relu", "relu6": "jax.nn.relu6", "sigmoid": "jax.nn.sigmoid", "tanh": "jnp.tanh",
        "elu": "jax.nn.elu", "selu": "jax.nn.selu", "silu": "jax.nn.silu", "softplus": "jax.nn.softplus",
        "exp": "jnp.exp", "log": "jnp.log", "sqrt": "jnp.sqrt", "rsqrt": "jax.lax.rsqrt", "square": "jnp.square",
        "negative": "jnp.negative", "abs": "jnp.abs", "erf": "jax.scipy.special.erf", "softsign": "jax.nn.soft_sign",
        "expm1": "jnp.expm1", "log1p": "jnp.log1p", "sin": "jnp.sin", "cos": "jnp.cos", "sign": "jnp.sign",
    }  # fmt: skip

    def norms(self, body: str) -> str:
        """See `Words.norms`."""
        if not self.norms_alike or "= BatchNorm(" not in body:
            return ""
        numbers = ", ".join(_numbers(self.eps, self.momentum))
        return f"BatchNorm = partial({self.module}.BatchNorm, {numbers})\n\n\n"

    # ---- layers ------------------------------------------------------------------------------------------------------

    def layer(self, layer: LayerMember) -> CallText:
        """See `Words.layer`."""
        made = self._made(layer)
        return CallText(made.function, [*made.arguments, *self.more()])

    def _made(self, layer: LayerMember) -> CallText:
        step = layer.step
        if step.kind in ("conv", "depthwise"):
            return self._convolution(layer)
        if step.kind == "transposed":
            return self._transposed(layer)
        if step.kind == "dense":
            name = "Linear" if self.sized else "Dense"
            return CallText(f"{self.module}.{name}", [*self._channels(layer), *without_bias(step)])
        if step.kind == "norm":
            return self._norm(layer)
        return self._attention(layer)

    def _attention(self, layer: LayerMember) -> CallText:
        channels = [self.size(layer, "channels")] if self.sized and "channels" in layer.sizes else []
        arguments = {name: self.argument(text) for name, text in block_arguments(layer).items()}
        return CallText(f"{self.blocks}.{block_name(layer)}", [*channels, *named(arguments)])

    def _channels(self, layer: LayerMember) -> list[str]:
        names = ("inputs", "outputs") if self.sized else ("outputs",)
        return [self.size(layer, name) for name in names]

    def _norm(self, layer: LayerMember) -> CallText:
        fields = layer.step.fields
        channels = [self.size(layer, "channels")] if self.sized else []
        absent = [
            *only_if(not fields["center"], "use_bias=False"),
            *only_if(not fields["scale"], "use_scale=False"),
        ]
        if self.norms_alike:
            return CallText("BatchNorm", [*channels, *absent])
        return CallText(f"{self.module}.BatchNorm", [*channels, *_numbers(fields["eps"], fields["momentum"]), *absent])

    def _convolution(self, layer: LayerMember) -> CallText:
        fields = layer.step.fields
        groups = self.size(layer, "inputs") if layer.step.kind == "depthwise" else str(fields["groups"])
        options = {
            "strides": self._stride(layer),
            "padding": _padding(self.border(layer)),
            "kernel_dilation": "" if set(fields["dilation"]) == {1} else str(fields["dilation"]),
            "feature_group_count": "" if groups == "1" else groups,
        }
        given = [*self._channels(layer), str(fields["kernel"]), *named(options), *without_bias(layer.step)]
        return CallText(f"{self.module}.Conv", given)

    def _transposed(self, layer: LayerMember) -> CallText:
        fields = layer.step.fields
        options = {"strides": self._stride(layer), "padding": '"VALID"', "transpose_kernel": "True"}
        given = [*self._channels(layer), str(fields["kernel"]), *named(options), *without_bias(layer.step)]
        return CallText(f"{self.module}.ConvTranspose", given)

    def _stride(self, layer: LayerMember) -> str:
        """Write a stride for Flax, which takes no single number, empty where it is 1."""
        stride = self.size(layer, "stride")
        if stride == "1" or stride.startswith("("):
            return "" if stride == "1" else stride
        each = [stride] * layer.dimensions
        return f"({', '.join(each)}{',' * (len(each) == 1)})"

    # ---- steps -------------------------------------------------------------------------------------------------------

    def pooled(self, step: Step, x: Code) -> Code:
        """See `ChannelsLast.pooled`."""
        fields = step.fields
        name = {"mean_pool": "avg_pool", "max_pool": "max_pool"}[step.kind]
        given = f'{fields["window"]}, strides={fields["stride"]}, padding="{fields["padding"].upper()}"'
        # TensorFlow's mean is that of the pixels inside of the image.
        if step.kind == "mean_pool" and fields["padding"] == "same":
            given += ", count_include_pad=False"
        return Code(f"nn.{name}({x.text}, {given})")


def _numbers(eps: float, momentum: float) -> list[str]:
    return [f"epsilon={eps}", f"momentum={kept(momentum)}"]


def _padding(border: object) -> str:
    """Write a padding, empty for SAME, which Flax has by default."""
    if border == "same":
        return ""
    return f'"{border.upper()}"' if isinstance(border, str) else str(border)
