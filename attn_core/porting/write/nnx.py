"""The network as Flax NNX source: images are (batch, height, width, channels)."""

from __future__ import annotations

from collections.abc import Iterable

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import Argument, ClassPlan, Instances, LayerMember
from attn_core.porting.write.flax import Flax, leaf_name
from attn_core.porting.write.forward import Code
from attn_core.porting.write.layouts import channels_last
from attn_core.porting.write.region import WEIGHTED
from attn_core.porting.write.spelling import WIDTH, CallText, only_if, repeated, typed, wrapped
from attn_core.porting.write.state import Convention


def _full(step: Step, leaf: str, place: str) -> str:
    own = leaf_name(step, leaf)
    return f"{place}.{own}" if own else place


class Nnx(Flax):
    """Writes NNX."""

    framework = "Flax NNX"
    module = "nnx"
    blocks = "attn_jax.nnx"
    sized = True
    convention = Convention(_full, channels_last)
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
        """See `Words.imports`."""
        has_pools = "nn.avg_pool(" in text or "nn.max_pool(" in text  # which NNX takes from Linen
        lines = [
            *only_if("partial(" in text, "from functools import partial"),
            "from pathlib import Path",
            "",
            "import jax",
            "import jax.numpy as jnp",
            *only_if(has_pools, "from flax import linen as nn"),
            "from flax import nnx",
            "from safetensors.numpy import load_file",
        ]
        if "attn_jax." in text:
            lines += ["", "import attn_jax.nnx"]
        return "\n".join(lines) + "\n"

    def more(self) -> list[str]:
        """See `Words.more`."""
        return ["rngs=rngs"]

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """See `Words.opening`."""
        yield f"class {plan.name}(nnx.Module):"
        yield f'    """{plan.doc}"""'
        yield ""
        given = ["self", *typed(arguments), "*", "rngs: nnx.Rngs"]
        yield from wrapped("def __init__(", given, ") -> None:", "    ")
        if plan.guard:
            yield f"        self.{plan.guard} = {plan.guard}"

    def forward(self, plan: ClassPlan) -> str:
        """See `Words.forward`."""
        return "def __call__(self, x: jax.Array) -> jax.Array:"

    def instances(self, member: Instances, calls: list[str], indent: str) -> Iterable[str]:
        """See `Words.instances`."""
        # NNX finds modules in its own kind of list only.
        entries = repeated(calls)
        line = f"{indent}self.{member.name} = nnx.List([{', '.join(entries)}])"
        if len(line) <= WIDTH:
            return [line]
        lines = wrapped("[", entries, "]", f"{indent}    ")
        return [f"{indent}self.{member.name} = nnx.List(", *lines, f"{indent})"]

    def layer(self, layer: LayerMember) -> CallText:
        """See `Words.layer`."""
        if layer.step.kind in WEIGHTED:
            return super().layer(layer)
        kind = "nnx.Param" if layer.step.fields["trained"] else "nnx.Variable"
        return CallText(kind, [f"jnp.zeros({self.shape(layer)})"])

    def weight(self, layer: LayerMember) -> str:
        """See `Words.weight`."""
        return f"self.{layer.name}[...]"

    def applied(self, layer: LayerMember, x: Code) -> Code:
        """See `ChannelsLast.applied`."""
        return Code(f"self.{layer.name}({x.text})")
