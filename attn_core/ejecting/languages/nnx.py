"""Flax NNX: classes that hold their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from attn_core.ejecting.helpers.jax import NNX
from attn_core.ejecting.languages.flax import Flax
from attn_core.ejecting.tracing.symbols import Step, Trace
from attn_core.ejecting.words.code import Code, Operand, plain
from attn_core.ejecting.words.jax import JaxWords
from attn_core.ejecting.writing.holes import ClassText, hole
from attn_core.spec import Part, parts


class Nnx(Flax):
    """Writes Flax NNX."""

    name = "Flax NNX"
    flax = "nnx"
    words = JaxWords("nnx")
    weights = "Variables have the names of attn_jax.nnx's module: an `nnx.State` moves both ways."
    helpers: ClassVar[Mapping[str, str]] = NNX

    def layer(self, name: str, part: Part) -> list[str]:
        """See `Language.layer`."""
        return [f"self.{name} = {_kind(name, part, self.options(name, part))}"]

    def part(self, trace: Trace, step: Step, given: Sequence[Operand]) -> Code:
        """See `Language.part`."""
        if step.kind == "update":
            return Code(f"self.{step.part}.update({given[0].text})")
        return super().part(trace, step, given)

    def signature(self, name: str, names: Sequence[str], own: bool, told: bool) -> str:
        """See `Language.signature`."""
        given = ", ".join([*["self"] * own, *(f"{each}: jax.Array" for each in names)])
        return f"def {name}({given}) -> jax.Array:"

    def call_name(self) -> str:
        """See `Language.call_name`."""
        return "__call__"

    def instance(self, name: str, arguments: Mapping[str, str], has_layers: bool) -> str:
        """See `Language.instance`."""
        return f"{name}({', '.join([*arguments.values(), *['rngs=rngs'] * has_layers])})"

    def assembled(self, name: str, arguments: Sequence[str], text: ClassText) -> list[str]:
        """See `Language.assembled`."""
        given = ", ".join(["self", *self.functions_before(arguments), "*", "rngs: nnx.Rngs"])
        init = [f"    def __init__({given}) -> None:", *(f"        {line}" for line in text.init)]
        return [
            f"class {name}(nnx.Module):",
            *text.doc,
            *([*init, ""] if text.init else []),
            *(f"    {line}" if line else "" for line in text.functions),
        ]


def _kind(name: str, part: Part, options: list[str]) -> str:
    inputs, outputs = (
        hole(f"{name}_inputs", getattr(part, "inputs", 0)),
        hole(f"{name}_outputs", getattr(part, "outputs", 0)),
    )
    channels = hole(f"{name}_channels", getattr(part, "channels", 0))
    match part:
        case parts.Dense():
            kind, given = "nnx.Linear", [inputs, outputs]
        case parts.Conv():
            kind, given = "nnx.Conv", [inputs, outputs, str(part.kernel)]
        case parts.BatchNorm():
            kind, given = "nnx.BatchNorm", [channels]
        case parts.GroupNorm():
            kind, given = "nnx.GroupNorm", [channels, hole(f"{name}_groups", part.groups)]
        case parts.LayerNorm():
            kind, given = "nnx.LayerNorm", [hole(f"{name}_features", part.features)]
        case parts.Affine():
            kind, given = "Affine", [channels]
        case parts.Dropout():
            kind, given = "nnx.Dropout", [plain(part.rate)]
        case parts.Running():
            kind, given = "Running", [str(part.shape), f"momentum={plain(part.momentum)}"]
        case _:
            raise NotImplementedError(f"NNX's sources have no {type(part).__name__}")
    return f"{kind}({', '.join([*given, *options, 'rngs=rngs'])})"
