"""The network as Keras source: images are (batch, height, width, channels)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write import grids, resizing
from attn_core.porting.write.attention import block_arguments, block_name
from attn_core.porting.write.channels_last import ChannelsLast, kept, without_bias
from attn_core.porting.write.classes import Argument, ClassPlan, LayerMember
from attn_core.porting.write.forward import Code
from attn_core.porting.write.layouts import keras_layout
from attn_core.porting.write.region import WEIGHTED
from attn_core.porting.write.spelling import CallText, named, number, only_if, typed, wrapped
from attn_core.porting.write.state import Convention

KERNELS = {"weight": "kernel"}
NORMS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def _full(step: Step, leaf: str, place: str) -> str:
    if step.kind not in WEIGHTED:
        return place
    names = NORMS if step.kind == "norm" else KERNELS
    scope, dot, last = leaf.rpartition(".")
    return f"{place}.{scope}{dot}{names.get(last, last)}"


class Keras(ChannelsLast):
    """Writes Keras, for any of its backends."""

    framework = "Keras"
    arrays = "keras.ops"
    resize = resizing.KERAS
    grids = grids.KERAS
    activations = "keras.ops"
    positional = False
    convention = Convention(_full, keras_layout)
    functions: ClassVar[dict[str, str]] = {
        "relu": "keras.ops.relu", "relu6": "keras.ops.relu6", "sigmoid": "keras.ops.sigmoid", "tanh": "keras.ops.tanh",
        "elu": "keras.ops.elu", "selu": "keras.ops.selu", "silu": "keras.ops.silu", "softplus": "keras.ops.softplus",
        "exp": "keras.ops.exp", "log": "keras.ops.log", "sqrt": "keras.ops.sqrt", "rsqrt": "keras.ops.rsqrt",
        "square": "keras.ops.square", "negative": "keras.ops.negative", "abs": "keras.ops.abs", "erf": "keras.ops.erf",
        "softsign": "keras.activations.softsign", "expm1": "keras.ops.expm1", "log1p": "keras.ops.log1p",
        "sin": "keras.ops.sin", "cos": "keras.ops.cos", "sign": "keras.ops.sign",
    }  # fmt: skip
    load = '''
def load(weights: str | Path = "weights.safetensors") -> {name}:
    """Return the network with its weights; a relative path starts beside this file."""
    network = {name}()
    network(keras.ops.zeros({shape}))  # makes the variables
    for name, array in load_file(Path(__file__).parent / weights).items():
        *path, last = name.split(".")
        layer = network
        for part in path:
            layer = layer[int(part)] if part.isdigit() else getattr(layer, part)
        getattr(layer, last).assign(array)
    return network
'''

    def imports(self, text: str) -> str:
        """See `Words.imports`."""
        lines = [
            *only_if("partial(" in text, "from functools import partial"),
            "from pathlib import Path",
            "",
            "import keras",
            "from safetensors.numpy import load_file",
        ]
        if "attn_tf." in text:
            lines += ["", "import attn_tf"]
        return "\n".join(lines) + "\n"

    def norms(self, body: str) -> str:
        """See `Words.norms`."""
        if not self.norms_alike or "= BatchNormalization(" not in body:
            return ""
        made = f"keras.layers.BatchNormalization, epsilon={self.eps}, momentum={kept(self.momentum)}"
        return f"BatchNormalization = partial({made})\n\n\n"

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """See `Words.opening`."""
        base = "Model" if plan is self.plan.classes[-1] else "layers.Layer"
        yield '@keras.saving.register_keras_serializable(package="ported")'
        yield f"class {plan.name}(keras.{base}):"
        yield f'    """{plan.doc}"""'
        yield ""
        yield from wrapped("def __init__(", ["self", *typed(arguments), "**options"], "):", "    ")
        yield "        super().__init__(**options)"
        if plan.guard:
            yield f"        self.{plan.guard} = {plan.guard}"

    def forward(self, plan: ClassPlan) -> str:
        """See `Words.forward`."""
        # Keras hands the flag on to the layers inside, but only from a call that has it.
        return "def call(self, x, training=None):"

    # ---- layers ------------------------------------------------------------------------------------------------------

    def layer(self, layer: LayerMember) -> CallText:
        """See `Words.layer`."""
        step = layer.step
        if step.kind == "conv":
            return self._convolution(layer)
        if step.kind == "transposed":
            return self._transposed(layer)
        if step.kind == "depthwise":
            return self._depthwise(layer)
        if step.kind == "dense":
            return CallText("keras.layers.Dense", [layer.sizes["outputs"], *without_bias(step)])
        if step.kind == "norm":
            return self._norm(layer)
        if step.kind == "attention":
            return CallText(f"attn_tf.{block_name(layer)}", named(block_arguments(layer)))
        frozen = only_if(not step.fields["trained"], "trainable=False")
        return CallText("self.add_weight", [f"shape={self.shape(layer)}", *frozen])

    def _norm(self, layer: LayerMember) -> CallText:
        fields = layer.step.fields
        absent = [f"{name}=False" for name in ("center", "scale") if not fields[name]]
        if self.norms_alike:
            return CallText("BatchNormalization", absent)
        numbers = [f"epsilon={fields['eps']}", f"momentum={kept(fields['momentum'])}"]
        return CallText("keras.layers.BatchNormalization", [*numbers, *absent])

    def _convolution(self, layer: LayerMember) -> CallText:
        fields, groups = layer.step.fields, layer.step.fields["groups"]
        options = self._window(layer) | {"groups": "" if groups == 1 else str(groups)}
        given = [layer.sizes["outputs"], number(fields["kernel"]), *named(options)]
        return CallText(f"keras.layers.Conv{layer.dimensions}D", [*given, *without_bias(layer.step)])

    def _transposed(self, layer: LayerMember) -> CallText:
        stride = layer.sizes["stride"]
        options = named({"strides": "" if stride == "1" else stride})
        given = [layer.sizes["outputs"], number(layer.step.fields["kernel"]), *options]
        return CallText(f"keras.layers.Conv{layer.dimensions}DTranspose", [*given, *without_bias(layer.step)])

    def _depthwise(self, layer: LayerMember) -> CallText:
        fields = layer.step.fields
        multiplier = fields["outputs"] // fields["inputs"]
        options = self._window(layer) | {"depth_multiplier": "" if multiplier == 1 else str(multiplier)}
        given = [number(fields["kernel"]), *named(options)]
        return CallText(f"keras.layers.DepthwiseConv{layer.dimensions}D", [*given, *without_bias(layer.step)])

    def _window(self, layer: LayerMember) -> dict[str, str]:
        """Return how a kernel goes over the image; what Keras does by default is empty."""
        stride, dilation = layer.sizes["stride"], number(layer.step.fields["dilation"])
        return {
            "strides": "" if stride == "1" else stride,
            "padding": '"same"' if self.border(layer) == "same" else "",
            "dilation_rate": "" if dilation == "1" else dilation,
        }

    # ---- steps -------------------------------------------------------------------------------------------------------

    def applied(self, layer: LayerMember, x: Code) -> Code:
        """See `ChannelsLast.applied`."""
        border = self.border(layer)
        # Keras' convolutions take no numbers for their borders.
        if isinstance(border, tuple):
            return Code(f"self.{layer.name}(keras.ops.pad({x.text}, {((0, 0), *border, (0, 0))}))")
        return Code(f"self.{layer.name}({x.text})")

    def pooled(self, step: Step, x: Code) -> Code:
        """See `ChannelsLast.pooled`."""
        fields = step.fields
        name = {"mean_pool": "average_pool", "max_pool": "max_pool"}[step.kind]
        window, stride = number(fields["window"]), number(fields["stride"])
        return Code(f'keras.ops.{name}({x.text}, {window}, {stride}, padding="{fields["padding"]}")')

    def size_of(self, x: Code) -> str:
        """See `ChannelsLast.size_of`."""
        return f"keras.ops.shape({x.text})[1:3]"

    def shape_of(self, x: Code) -> str:
        """See `ChannelsLast.shape_of`."""
        return f"keras.ops.shape({x.text})"

    def flattened(self, x: Code) -> str:
        """See `ChannelsLast.flattened`."""
        return f"keras.ops.reshape({x.text}, (keras.ops.shape({x.text})[0], -1))"
