"""What the sources for NNX and Linen have in common."""

from __future__ import annotations

from typing import ClassVar

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.channels_last import ChannelsLast
from attn_core.porting.write.classes import Layer
from attn_core.porting.write.common import block_arguments
from attn_core.porting.write.forward import Code
from attn_core.porting.write.structure import WEIGHTED
from attn_core.porting.write.writer import Statement

LEAVES = {"norm": {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}}


def leaf_name(step: Step, leaf: str) -> str:
    """Return Flax's name of a canonical leaf."""
    if step.kind not in WEIGHTED:
        return ""
    scope, dot, last = leaf.rpartition(".")
    return scope + dot + LEAVES.get(step.kind, {"weight": "kernel"}).get(last, last)


class Flax(ChannelsLast):
    """Writes layers as both of Flax's interfaces have them; `module` is the one's name."""

    arrays = "jnp"
    constant = "constant_values"
    module: ClassVar[str]
    sized: ClassVar[bool]  # whether layers are told the number of their input's channels
    functions: ClassVar[dict[str, str]] = {
        "relu": "jax.nn.relu", "relu6": "jax.nn.relu6", "sigmoid": "jax.nn.sigmoid", "tanh": "jnp.tanh",
        "elu": "jax.nn.elu", "selu": "jax.nn.selu", "silu": "jax.nn.silu", "softplus": "jax.nn.softplus",
        "exp": "jnp.exp", "log": "jnp.log", "sqrt": "jnp.sqrt", "rsqrt": "jax.lax.rsqrt", "square": "jnp.square",
        "negative": "jnp.negative", "abs": "jnp.abs", "erf": "jax.scipy.special.erf", "softmax": "jax.nn.softmax",
        "leaky": "jax.nn.leaky_relu", "log_softmax": "jax.nn.log_softmax", "softsign": "jax.nn.soft_sign",
        "expm1": "jnp.expm1", "log1p": "jnp.log1p", "sin": "jnp.sin", "cos": "jnp.cos", "sign": "jnp.sign",
    }  # fmt: skip

    def norms(self, body: str) -> str:
        """See `Writer.norms`."""
        if not self.norms_alike or "= BatchNorm(" not in body:
            return ""
        return (
            f"BatchNorm = partial({self.module}.BatchNorm, {', '.join(self._numbers(self.eps, self.momentum))})\n\n\n"
        )

    def _numbers(self, eps: float, momentum: float) -> list[str]:
        return [f"epsilon={eps}", f"momentum={round(1 - momentum, 9)}"]

    def layer(self, layer: Layer) -> Statement:
        """See `Writer.layer`."""
        name, arguments = self._made(layer)
        return name, [*arguments, *self.more()]

    def _made(self, layer: Layer) -> Statement:
        step = layer.step
        if step.kind in ("conv", "depthwise"):
            return self._convolution(layer)
        if step.kind == "dense":
            name = "Linear" if self.sized else "Dense"
            return f"{self.module}.{name}", [*self._sizes(layer), *([] if step.fields["bias"] else ["use_bias=False"])]
        if step.kind == "norm":
            return self._norm(layer)
        named = block_arguments(step, layer, ("channels",))
        channels = [self.code(layer, "channels")] if self.sized and "channels" in layer.code else []
        block = type(step.fields["block"]).__name__
        own = f"attn_jax.{'nnx' if self.sized else 'linen'}"
        return f"{own}.{block}", [*channels, *(f"{k}={self.argument(v)}" for k, v in named.items())]

    def _sizes(self, layer: Layer) -> list[str]:
        names = ("inputs", "outputs") if self.sized else ("outputs",)
        return [self.code(layer, name) for name in names]

    def _norm(self, layer: Layer) -> Statement:
        fields = layer.step.fields
        plain = [] if self.norms_alike else self._numbers(fields["eps"], fields["momentum"])
        absent = {"use_bias": fields["center"], "use_scale": fields["scale"]}
        named = [*plain, *(f"{name}=False" for name, there in absent.items() if not there)]
        channels = [self.code(layer, "channels")] if self.sized else []
        return "BatchNorm" if self.norms_alike else f"{self.module}.BatchNorm", [*channels, *named]

    def _convolution(self, layer: Layer) -> Statement:
        fields, stride = layer.step.fields, self.code(layer, "stride")
        groups = self.code(layer, "inputs") if layer.step.kind == "depthwise" else str(fields["groups"])
        border = self.border(layer)
        padding = str(border) if isinstance(border, tuple) else f'"{border.upper()}"'
        named = {
            "strides": "" if stride == "1" else stride if stride.startswith("(") else f"({stride}, {stride})",
            "padding": "" if padding == '"SAME"' else padding,
            "kernel_dilation": str(fields["dilation"]) if fields["dilation"] != (1, 1) else "",
            "feature_group_count": "" if groups == "1" else groups,
            "use_bias": "" if fields["bias"] else "False",
        }
        given = [f"{name}={value}" for name, value in named.items() if value]
        return f"{self.module}.Conv", [*self._sizes(layer), str(fields["kernel"]), *given]

    def pooled(self, step: Step, x: Code) -> Code:
        """See `ChannelsLast.pooled`."""
        name = {"mean_pool": "avg_pool", "max_pool": "max_pool"}[step.kind]
        fields = step.fields
        count = ", count_include_pad=False" if step.kind == "mean_pool" and fields["padding"] == "same" else ""
        given = f'{fields["window"]}, strides={fields["stride"]}, padding="{fields["padding"].upper()}"{count}'
        return Code(f"nn.{name}({x.text}, {given})")
