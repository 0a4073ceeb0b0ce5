"""What Linen and NNX have in common: channels last, names of weights, laws of fresh ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from attn_core.ejecting.languages.language import Language
from attn_core.ejecting.words.code import plain
from attn_core.ejecting.writing.holes import hole
from attn_core.ejecting.writing.laws import FAN_IN, FAN_OUT, SCALED, UNIFORM, Law, law_of
from attn_core.spec import Part, parts
from attn_core.spec.initializers import Constant, Directions, Normal, Values

NAMES = {
    parts.Dense: {"weight": "kernel"},
    parts.Conv: {"weight": "kernel"},
    parts.BatchNorm: {"weight": "scale"},
    parts.GroupNorm: {"weight": "scale"},
    parts.LayerNorm: {"weight": "scale"},
}
EPSILON = {parts.BatchNorm: 1e-5, parts.GroupNorm: 1e-6, parts.LayerNorm: 1e-6}  # Flax's own
LIBRARY = "jax.nn.initializers"


class Flax(Language):
    """Writes Flax; subclasses know one of its interfaces."""

    channels_last = True
    flax: ClassVar[str]  # the module of its layers

    def leaf(self, part: Part, name: str) -> str:
        """See `Language.leaf`."""
        return NAMES.get(type(part), {}).get(name, name)

    def options(self, name: str, part: Part) -> list[str]:
        """Return the arguments of a layer that both interfaces have."""
        found = []
        if isinstance(part, parts.Conv):
            found += _convolution(part)
        if isinstance(part, parts.BatchNorm):
            found.append(f"momentum={plain(round(1 - part.momentum, 12))}")
        if isinstance(part, parts.BatchNorm | parts.GroupNorm | parts.LayerNorm):
            found += [f"epsilon={plain(part.eps)}"] * (part.eps != EPSILON[type(part)]) + ["use_fast_variance=False"]
        if isinstance(part, parts.Dense | parts.Conv):
            found += ["use_bias=False"] * (not part.bias)
        return found + self._laws(part)

    def _laws(self, part: Part) -> list[str]:
        """Return the laws that are not those of the layer by itself."""
        found = []
        for leaf, array in part.arrays().items():
            name = self.leaf(part, leaf)
            usual = Constant(1.0 if leaf == "weight" and name != "kernel" else 0.0)
            if isinstance(part, parts.Running) or (array.trainable and (name == "kernel" or array.law != usual)):
                found.append(f"{name}_init={_law(law_of(part, array))}")
        return found

    def functions_before(self, arguments: Sequence[str]) -> list[str]:
        """Return arguments as integers."""
        return [f"{each}: int" for each in arguments]

    def imports(self, code: str) -> list[str]:
        """See `Language.imports`."""
        standard = ["import itertools"] * ("itertools." in code) + ["import math"] * ("math." in code)
        standard += ["from collections.abc import Callable"] * ("Callable[" in code)
        standard += ["from typing import Any"] * (": Any" in code)
        jnp = ["import jax.numpy as jnp"] if "jnp." in code else []
        numpy = ["import numpy as np"] if "np." in code.replace("jnp.", "") else []
        flax = "from flax import nnx" if self.flax == "nnx" else "from flax import linen as nn"
        return [*standard, *[""] * bool(standard), "import jax", *jnp, *numpy, flax]


def _convolution(part: parts.Conv) -> list[str]:
    around = tuple((n // 2, n // 2) for n in part.reach)
    found = [f"strides={hole('stride', part.stride)}"]
    if part.padding != "symmetric":
        found += [f'padding="{part.padding.upper()}"'] * (part.padding == "valid")
    elif any(map(any, around)):
        found.append(f"padding={around[0][0] if len(set(around)) == 1 else around}")
    found += [f"kernel_dilation={part.dilation}"] * (part.dilation != 1)
    return found + [f"feature_group_count={part.groups}"] * (part.groups != 1)


def _law(law: Law) -> str:
    fan_in = hole("fan_in", law.fan_in)
    if law.kind == UNIFORM:
        return f"uniform({fan_in})"
    if law.kind == SCALED:
        return f"{LIBRARY}.truncated_normal(math.sqrt(2.6 / {fan_in}))"
    if law.kind in (FAN_IN, FAN_OUT):
        return f'{LIBRARY}.variance_scaling(2.0, "{law.kind}", "normal")'
    match law.law:
        case Constant(value):
            return {0.0: f"{LIBRARY}.zeros", 1.0: f"{LIBRARY}.ones"}.get(value, f"{LIBRARY}.constant({plain(value)})")
        case Normal(std):
            return f"{LIBRARY}.normal({std!r})"
        case Values(values):
            return f"{LIBRARY}.constant(jnp.array([{', '.join(f'{value:.1f}' for value in values)}]))"
        case Directions():
            return "directions"
    raise NotImplementedError(f"Flax's sources have no {law.law!r}")
