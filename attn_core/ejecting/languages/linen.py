"""Flax Linen: classes with `setup`, weights in variables beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from attn_core.ejecting.helpers.jax import LINEN
from attn_core.ejecting.languages.flax import Flax
from attn_core.ejecting.languages.training import trains
from attn_core.ejecting.tracing.symbols import Step, Trace
from attn_core.ejecting.words.code import Code, Operand, plain
from attn_core.ejecting.words.jax import JaxWords
from attn_core.ejecting.writing.holes import ClassText, hole
from attn_core.spec import Block, Part, parts


class Linen(Flax):
    """Writes Flax Linen."""

    name = "Flax Linen"
    flax = "nn"
    training = "train"
    reference = "self."
    words = JaxWords("nn")
    weights = "Variables have the names of attn_jax.linen's module, so they move both ways."
    helpers: ClassVar[Mapping[str, str]] = LINEN

    def layer(self, name: str, part: Part) -> list[str]:
        """See `Language.layer`."""
        return [f"self.{name} = {_kind(name, part, self.options(name, part))}"]

    def part(self, trace: Trace, step: Step, given: Sequence[Operand]) -> Code:
        """See `Language.part`."""
        part = trace.block.parts()[step.part]
        texts = [each.text for each in given]
        if step.kind == "update":
            return Code(f"self.{step.part}.update({texts[0]}, train)")
        if isinstance(part, parts.BatchNorm):
            texts.append("use_running_average=not train")
        elif isinstance(part, parts.Dropout):
            texts.append("deterministic=not train")
        elif isinstance(part, Block) and trains(part):
            texts.append("train")
        return Code(f"self.{step.part}({', '.join(texts)})")

    def signature(self, name: str, names: Sequence[str], own: bool, told: bool) -> str:
        """See `Language.signature`."""
        train = ["train: bool = False" if name == self.call_name() else "train: bool"] * told
        given = ", ".join([*["self"] * own, *(f"{each}: jax.Array" for each in names), *train])
        return f"def {name}({given}) -> jax.Array:"

    def call_name(self) -> str:
        """See `Language.call_name`."""
        return "__call__"

    def assembled(self, name: str, arguments: Sequence[str], text: ClassText) -> list[str]:
        """See `Language.assembled`."""
        fields = [f"    {each}" for each in self.functions_before(arguments)]
        setup = ["    def setup(self) -> None:", *(f"        {line}" for line in text.init)]
        return [
            f"class {name}(nn.Module):",
            *text.doc,
            *([*fields, ""] if fields else []),
            *([*setup, ""] if text.init else []),
            *(f"    {line}" if line else "" for line in text.functions),
        ]


def _kind(name: str, part: Part, options: list[str]) -> str:
    outputs = hole(f"{name}_outputs", getattr(part, "outputs", 0))
    match part:
        case parts.Dense():
            kind, given = "nn.Dense", [outputs]
        case parts.Conv():
            kind, given = "nn.Conv", [outputs, str(part.kernel)]
        case parts.BatchNorm():
            kind, given = "nn.BatchNorm", []
        case parts.GroupNorm():
            kind, given = "nn.GroupNorm", [hole(f"{name}_groups", part.groups)]
        case parts.LayerNorm():
            kind, given = "nn.LayerNorm", []
        case parts.Affine():
            kind, given = "Affine", [hole(f"{name}_channels", part.channels)]
        case parts.Dropout():
            kind, given = "nn.Dropout", [plain(part.rate)]
        case parts.Running():
            kind, given = "Running", [str(part.shape), f"momentum={plain(part.momentum)}"]
        case _:
            raise NotImplementedError(f"Linen's sources have no {type(part).__name__}")
    return f"{kind}({', '.join([*given, *options])})"
