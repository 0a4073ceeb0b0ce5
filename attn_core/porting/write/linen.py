"""The network as Flax Linen source: images are (batch, height, width, channels)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.channels_last import layout
from attn_core.porting.write.classes import Argument, ClassPlan, Layer
from attn_core.porting.write.flax import Flax, leaf_name
from attn_core.porting.write.forward import Code
from attn_core.porting.write.state import Naming
from attn_core.porting.write.structure import WEIGHTED
from attn_core.porting.write.writer import Statement, typed


def _full(step: Step, leaf: str, place: str) -> str:
    """Return where Linen keeps an array; it numbers the instances of a list in their names."""
    statistic = step.kind == "norm" and leaf.startswith("running_")
    trained = step.kind in WEIGHTED or step.fields["trained"]
    collection = "batch_stats" if statistic else "params" if trained else "constants"
    return ".".join(filter(None, (collection, re.sub(r"\.(\d+)", r"_\1", place), leaf_name(step, leaf))))


class Linen(Flax):
    """Writes Linen."""

    framework = "Flax Linen"
    module = "nn"
    sized = False
    positional = False
    passed = ", train"
    naming = Naming(_full, layout)
    load = '''
def load(weights: str | Path = "weights.safetensors") -> tuple[{name}, dict]:
    """Return the network and its variables; a relative path starts beside this file."""
    arrays = load_file(Path(__file__).parent / weights)
    return {name}(), jax.tree.map(jnp.asarray, unflatten_dict(arrays, sep="."))
'''

    def imports(self, text: str) -> str:
        """See `Writer.imports`."""
        lines = [
            *(["from functools import partial"] if "partial(" in text else []),
            "from pathlib import Path",
            "",
            "import jax",
            "import jax.numpy as jnp",
            "from flax import linen as nn",
            "from flax.traverse_util import unflatten_dict",
            "from safetensors.numpy import load_file",
            *(["", "import attn_jax.linen"] if "attn_jax." in text else []),
        ]
        return "\n".join(lines) + "\n"

    def argument(self, text: str) -> str:
        """See `Writer.argument`."""
        return f"self.{text}" if re.fullmatch(r"[A-Za-z_]\w*", text) and text not in ("True", "False") else text

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """See `Writer.opening`."""
        yield f"class {plan.name}(nn.Module):"
        yield f'    """{plan.doc}"""'
        yield ""
        yield from (f"    {line}" for line in typed(arguments))
        yield from [""] if arguments else []
        yield "    def setup(self) -> None:"

    def forward(self, plan: ClassPlan) -> str:
        """See `Writer.forward`."""
        return "def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:"

    def layer(self, layer: Layer) -> Statement:
        """See `Writer.layer`."""
        if layer.step.kind in WEIGHTED:
            return super().layer(layer)
        shape = self.shape(layer)
        if layer.step.fields["trained"]:
            return "self.param", [f'"{layer.name}"', "nn.initializers.zeros", str(shape)]
        return "self.variable", ['"constants"', f'"{layer.name}"', f"lambda: jnp.zeros({shape})"]

    def weight(self, layer: Layer) -> str:
        """See `Writer.weight`."""
        return f"self.{layer.name}{'' if layer.step.fields['trained'] else '.value'}"

    def applied(self, layer: Layer, x: Code) -> Code:
        """See `ChannelsLast.applied`."""
        train = ", use_running_average=not train" if layer.step.kind == "norm" else ""
        return Code(f"self.{layer.name}({x.text}{train})")
