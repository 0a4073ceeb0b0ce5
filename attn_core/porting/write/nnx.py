"""The network as Flax NNX source: images are (batch, height, width, channels)."""

from __future__ import annotations

from collections.abc import Iterable

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.channels_last import layout
from attn_core.porting.write.classes import Argument, ClassPlan, Instances, Layer
from attn_core.porting.write.common import wrapped
from attn_core.porting.write.flax import Flax, leaf_name
from attn_core.porting.write.forward import WIDTH, Code
from attn_core.porting.write.state import Naming
from attn_core.porting.write.structure import WEIGHTED
from attn_core.porting.write.writer import Statement, repeated, typed


def _full(step: Step, leaf: str, place: str) -> str:
    return ".".join(filter(None, (place, leaf_name(step, leaf))))


class Nnx(Flax):
    """Writes NNX."""

    framework = "Flax NNX"
    module = "nnx"
    sized = True
    naming = Naming(_full, layout)
    load = '''
def load(weights: str | Path = "weights.safetensors") -> {name}:
    """Return the network with its weights, in eval mode; a relative path starts here."""
    network = {name}(rngs=nnx.Rngs(0))
    for name, array in load_file(Path(__file__).parent / weights).items():
        *path, last = name.split(".")
        module = network
        for part in path:
            module = module[int(part)] if part.isdigit() else getattr(module, part)
        getattr(module, last).set_value(jnp.asarray(array))
    network.eval()
    return network
'''

    def imports(self, text: str) -> str:
        """See `Writer.imports`."""
        lines = [
            *(["from functools import partial"] if "partial(" in text else []),
            "from pathlib import Path",
            "",
            "import jax",
            "import jax.numpy as jnp",
            *(["from flax import linen as nn"] if "nn.avg_pool(" in text or "nn.max_pool(" in text else []),
            "from flax import nnx",
            "from safetensors.numpy import load_file",
            *(["", "import attn_jax.nnx"] if "attn_jax." in text else []),
        ]
        return "\n".join(lines) + "\n"

    def more(self) -> list[str]:
        """See `Writer.more`."""
        return ["rngs=rngs"]

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """See `Writer.opening`."""
        yield f"class {plan.name}(nnx.Module):"
        yield f'    """{plan.doc}"""'
        yield ""
        given = ["self", *typed(arguments), "*", "rngs: nnx.Rngs"]
        yield from wrapped("def __init__(", given, ") -> None:", "    ")
        if plan.guard:
            yield f"        self.{plan.guard} = {plan.guard}"

    def forward(self, plan: ClassPlan) -> str:
        """See `Writer.forward`."""
        return "def __call__(self, x: jax.Array) -> jax.Array:"

    def instances(self, member: Instances, calls: list[str], indent: str) -> Iterable[str]:
        """See `Writer.instances`."""
        line = f"{indent}self.{member.name} = nnx.List([{', '.join(repeated(calls))}])"
        if len(line) <= WIDTH:
            return [line]
        lines = wrapped("[", repeated(calls), "]", f"{indent}    ")
        return [f"{indent}self.{member.name} = nnx.List(", *lines, f"{indent})"]

    def layer(self, layer: Layer) -> Statement:
        """See `Writer.layer`."""
        if layer.step.kind in WEIGHTED:
            return super().layer(layer)
        kind = "nnx.Param" if layer.step.fields["trained"] else "nnx.Variable"
        return kind, [f"jnp.zeros({self.shape(layer)})"]

    def weight(self, layer: Layer) -> str:
        """See `Writer.weight`."""
        return f"self.{layer.name}[...]"

    def applied(self, layer: Layer, x: Code) -> Code:
        """See `ChannelsLast.applied`."""
        return Code(f"self.{layer.name}({x.text})")
