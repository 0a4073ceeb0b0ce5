"""The network as Flax Linen source: images are (batch, height, width, channels)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import Argument, ClassPlan, LayerMember
from attn_core.porting.write.flax import Flax, leaf_name
from attn_core.porting.write.forward import Code
from attn_core.porting.write.layouts import channels_last
from attn_core.porting.write.region import WEIGHTED
from attn_core.porting.write.spelling import CallText, only_if, typed
from attn_core.porting.write.state import Convention


def _full(step: Step, leaf: str, place: str) -> str:
    """Return where Linen keeps an array; it numbers the instances of a list in their names."""
    numbered = re.sub(r"\.(\d+)", r"_\1", place)
    parts = (_collection(step, leaf), numbered, leaf_name(step, leaf))
    return ".".join(part for part in parts if part)


def _collection(step: Step, leaf: str) -> str:
    if step.kind == "norm" and leaf.startswith("running_"):
        return "batch_stats"
    is_trained = step.kind in WEIGHTED or step.fields["trained"]
    return "params" if is_trained else "constants"


class Linen(Flax):
    """Writes Linen."""

    framework = "Flax Linen"
    module = "nn"
    blocks = "attn_jax.linen"
    sized = False
    positional = False
    passed = ", train"
    convention = Convention(_full, channels_last)
    load = '''
def load(weights: str | Path = "weights.safetensors") -> tuple[{name}, dict]:
    """Return the network and its variables; a relative path starts beside this file."""
    arrays = load_file(Path(__file__).parent / weights)
    return {name}(), jax.tree.map(jnp.asarray, unflatten_dict(arrays, sep="."))
'''

    def imports(self, text: str) -> str:
        """See `Words.imports`."""
        lines = [
            *only_if("partial(" in text, "from functools import partial"),
            "from pathlib import Path",
            "",
            "import jax",
            "import jax.numpy as jnp",
            "from flax import linen as nn",
            "from flax.traverse_util import unflatten_dict",
            "from safetensors.numpy import load_file",
        ]
        if "attn_jax." in text:
            lines += ["", "import attn_jax.linen"]
        return "\n".join(lines) + "\n"

    def argument(self, text: str) -> str:
        """See `Words.argument`."""
        # Linen's arguments are attributes; numbers, pairs and truth values are no arguments.
        is_argument = text.isidentifier() and text not in ("True", "False")
        return f"self.{text}" if is_argument else text

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """See `Words.opening`."""
        yield f"class {plan.name}(nn.Module):"
        yield f'    """{plan.doc}"""'
        yield ""
        for line in typed(arguments):
            yield f"    {line}"
        if arguments:
            yield ""
        yield "    def setup(self) -> None:"

    def forward(self, plan: ClassPlan) -> str:
        """See `Words.forward`."""
        return "def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:"

    def layer(self, layer: LayerMember) -> CallText:
        """See `Words.layer`."""
        if layer.step.kind in WEIGHTED:
            return super().layer(layer)
        shape = self.shape(layer)
        if layer.step.fields["trained"]:
            return CallText("self.param", [f'"{layer.name}"', "nn.initializers.zeros", str(shape)])
        return CallText("self.variable", ['"constants"', f'"{layer.name}"', f"lambda: jnp.zeros({shape})"])

    def weight(self, layer: LayerMember) -> str:
        """See `Words.weight`."""
        # `self.param` returns the array itself, `self.variable` what holds it.
        return f"self.{layer.name}" if layer.step.fields["trained"] else f"self.{layer.name}.value"

    def applied(self, layer: LayerMember, x: Code) -> Code:
        """See `ChannelsLast.applied`."""
        train = ", use_running_average=not train" if layer.step.kind == "norm" else ""
        return Code(f"self.{layer.name}({x.text}{train})")
