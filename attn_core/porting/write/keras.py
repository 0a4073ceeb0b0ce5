"""The network as Keras source: images are (batch, height, width, channels)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from attn_core.porting.network.steps.steps import Array, Step
from attn_core.porting.write.channels_last import ChannelsLast, layout
from attn_core.porting.write.classes import Argument, ClassPlan, Layer
from attn_core.porting.write.common import block_arguments, pair, wrapped
from attn_core.porting.write.forward import Code
from attn_core.porting.write.state import Naming
from attn_core.porting.write.structure import WEIGHTED
from attn_core.porting.write.writer import Statement, typed

LEAVES = {
    "norm": {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"},
}


def _full(step: Step, leaf: str, place: str) -> str:
    if step.kind not in WEIGHTED:
        return place
    scope, dot, last = leaf.rpartition(".")
    return f"{place}.{scope}{dot}{LEAVES.get(step.kind, {'weight': 'kernel'}).get(last, last)}"


def _layout(step: Step, leaf: str, array: Array) -> Array:
    """Lay an array out as Keras does, which keeps a depthwise kernel as (*space, in, multiplier)."""
    if step.kind == "depthwise" and leaf == "weight":
        return array.reshape(step.fields["inputs"], -1, *array.shape[2:]).transpose(2, 3, 0, 1)
    return layout(step, leaf, array)


class Keras(ChannelsLast):
    """Writes Keras, for any of its backends."""

    framework = "Keras"
    arrays = "keras.ops"
    constant = "constant_values"
    positional = False
    naming = Naming(_full, _layout)
    functions: ClassVar[dict[str, str]] = {
        "relu": "keras.ops.relu", "relu6": "keras.ops.relu6", "sigmoid": "keras.ops.sigmoid", "tanh": "keras.ops.tanh",
        "elu": "keras.ops.elu", "selu": "keras.ops.selu", "silu": "keras.ops.silu", "softplus": "keras.ops.softplus",
        "exp": "keras.ops.exp", "log": "keras.ops.log", "sqrt": "keras.ops.sqrt", "rsqrt": "keras.ops.rsqrt",
        "square": "keras.ops.square", "negative": "keras.ops.negative", "abs": "keras.ops.abs", "erf": "keras.ops.erf",
        "softsign": "keras.activations.softsign", "expm1": "keras.ops.expm1", "log1p": "keras.ops.log1p",
        "sin": "keras.ops.sin", "cos": "keras.ops.cos", "sign": "keras.ops.sign",
        "softmax": "keras.ops.softmax", "log_softmax": "keras.ops.log_softmax", "leaky": "keras.ops.leaky_relu",
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
        """See `Writer.imports`."""
        lines = [
            *(["from functools import partial"] if "partial(" in text else []),
            "from pathlib import Path",
            "",
            "import keras",
            "from safetensors.numpy import load_file",
            *(["", "import attn_tf"] if "attn_tf." in text else []),
        ]
        return "\n".join(lines) + "\n"

    def norms(self, body: str) -> str:
        """See `Writer.norms`."""
        if not self.norms_alike or "= BatchNormalization(" not in body:
            return ""
        made = f"keras.layers.BatchNormalization, epsilon={self.eps}, momentum={_kept(self.momentum)}"
        return f"BatchNormalization = partial({made})\n\n\n"

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """See `Writer.opening`."""
        last = plan is self.plan.classes[-1]
        yield '@keras.saving.register_keras_serializable(package="ported")'
        yield f"class {plan.name}(keras.{'Model' if last else 'layers.Layer'}):"
        yield f'    """{plan.doc}"""'
        yield ""
        yield from wrapped("def __init__(", ["self", *typed(arguments), "**options"], "):", "    ")
        yield "        super().__init__(**options)"
        if plan.guard:
            yield f"        self.{plan.guard} = {plan.guard}"

    def forward(self, plan: ClassPlan) -> str:
        """See `Writer.forward`."""
        # Keras hands the flag on to the layers inside, but only from a call that has it.
        return "def call(self, x, training=None):"

    # ---- layers ------------------------------------------------------------------------------------------------------

    def layer(self, layer: Layer) -> Statement:
        """See `Writer.layer`."""
        step, code = layer.step, layer.code
        if step.kind in ("conv", "depthwise"):
            return self._convolution(layer)
        if step.kind == "dense":
            return "keras.layers.Dense", [code["outputs"], *([] if step.fields["bias"] else ["use_bias=False"])]
        if step.kind == "norm":
            return self._norm(layer)
        if step.kind == "attention":
            named = block_arguments(step, layer, ("channels",))
            block = type(step.fields["block"]).__name__
            return f"attn_tf.{block}", [f"{name}={value}" for name, value in named.items()]
        trained = [] if step.fields["trained"] else ["trainable=False"]
        return "self.add_weight", [f"shape={self.shape(layer)}", *trained]

    def _norm(self, layer: Layer) -> Statement:
        fields = layer.step.fields
        plain = [] if self.norms_alike else [f"epsilon={fields['eps']}", f"momentum={_kept(fields['momentum'])}"]
        absent = [f"{name}=False" for name in ("center", "scale") if not fields[name]]
        return "BatchNormalization" if self.norms_alike else "keras.layers.BatchNormalization", [*plain, *absent]

    def _convolution(self, layer: Layer) -> Statement:
        fields, code = layer.step.fields, layer.code
        deep = layer.step.kind == "depthwise"
        named = {
            "strides": code["stride"] if code["stride"] != "1" else "",
            "padding": '"same"' if self.border(layer) == "same" else "",
            "dilation_rate": pair(fields["dilation"]) if fields["dilation"] != (1, 1) else "",
            "depth_multiplier": str(fields["outputs"] // fields["inputs"]) if deep else "",
            "groups": str(fields["groups"]) if fields["groups"] != 1 and not deep else "",
            "use_bias": "" if fields["bias"] else "False",
        }
        if named["depth_multiplier"] == "1":
            named["depth_multiplier"] = ""
        given = [f"{name}={value}" for name, value in named.items() if value]
        kernel = pair(fields["kernel"])
        if deep:
            return "keras.layers.DepthwiseConv2D", [kernel, *given]
        return "keras.layers.Conv2D", [code["outputs"], kernel, *given]

    # ---- steps -------------------------------------------------------------------------------------------------------

    def applied(self, layer: Layer, x: Code) -> Code:
        """See `ChannelsLast.applied`."""
        border = self.border(layer) if layer.step.kind in ("conv", "depthwise") else "valid"
        if isinstance(border, tuple):
            return Code(f"self.{layer.name}(keras.ops.pad({x.text}, {((0, 0), *border, (0, 0))}))")
        return Code(f"self.{layer.name}({x.text})")

    def pooled(self, step: Step, x: Code) -> Code:
        """See `ChannelsLast.pooled`."""
        name = {"mean_pool": "average_pool", "max_pool": "max_pool"}[step.kind]
        window, stride = pair(step.fields["window"]), pair(step.fields["stride"])
        return Code(f'keras.ops.{name}({x.text}, {window}, {stride}, padding="{step.fields["padding"]}")')

    def flattened(self, x: Code) -> str:
        """See `ChannelsLast.flattened`."""
        return f"keras.ops.reshape({x.text}, (keras.ops.shape({x.text})[0], -1))"


def _kept(share: float) -> float:
    """Return the share of the old, which Keras calls momentum."""
    return round(1 - share, 9)
