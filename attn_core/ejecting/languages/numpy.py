"""NumPy: functions of an input and a dictionary of weights, for inference only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from attn_core.ejecting.helpers.numpy import HELPERS
from attn_core.ejecting.languages.language import Language
from attn_core.ejecting.tracing.symbols import Step, Trace
from attn_core.ejecting.words.code import Code, Operand, plain
from attn_core.ejecting.words.numpy import NumpyWords
from attn_core.ejecting.writing.holes import ClassText
from attn_core.spec import Block, Part, parts

WEIGHTS = "weights: Weights"


class Numpy(Language):
    """Writes NumPy."""

    name = "NumPy, for inference only"
    words = NumpyWords()
    weights = (
        "Weights are a dictionary of arrays with the names and layouts of a `state_dict` in PyTorch. Norms use their "
        "running statistics, and nothing is trained or dropped."
    )
    helpers: ClassVar[Mapping[str, str]] = HELPERS

    def layer(self, name: str, part: Part) -> list[str]:
        """See `Language.layer`: there are none, but that there are weights is noted."""
        return ["weights"] if part.arrays() else []

    def nested(self, name: str, call: str) -> list[str]:
        """See `Language.nested`."""
        return ["weights"] if call.endswith(WEIGHTS) else []

    def instance(self, name: str, arguments: Mapping[str, str], has_layers: bool) -> str:
        """See `Language.instance`: the function, and whether it has weights."""
        return f"{_function(name)} {WEIGHTS if has_layers else ''}"

    def part(self, trace: Trace, step: Step, given: Sequence[Operand]) -> Code:
        """See `Language.part`."""
        part = trace.block.parts()[step.part]
        texts = ", ".join(each.text for each in given)
        if isinstance(part, Block):
            function, _, weights = self.inside[step.part].partition(" ")
            more = [f'below(weights, "{step.part}")'] * bool(weights)
            return Code(f"{function}({', '.join([texts, *more])})")
        if isinstance(part, parts.Running):
            return Code(f'weights["{step.part}.value"]' if step.kind == "Running" else "")
        if isinstance(part, parts.Dropout):
            return Code(given[0].text, given[0].level)
        more = [f'"{step.part}"', *_options(part, given[0])]
        return Code(f"{NAMES[type(part)]}({texts}, weights, {', '.join(more)})")

    def reserved(self, trace: Trace) -> frozenset[str]:
        """See `Language.reserved`."""
        return super().reserved(trace) | {"weights"}

    def text(self, trace: Trace, inside: Mapping[str, str]) -> ClassText:
        """See `Language.text`."""
        self.inside = inside
        return super().text(trace, inside)

    def signature(self, name: str, names: Sequence[str], own: bool, told: bool) -> str:
        """See `Language.signature`."""
        given = ", ".join([*(f"{each}: Array" for each in names), *[WEIGHTS] * own])
        return f"def {name}({given}) -> Array:"

    def method(self, step: Step, name: str, given: Sequence[Operand], told: bool) -> Code:
        """See `Language.method`."""
        texts = [each.text for each in given] + ["weights"] * bool(step.part)
        return Code(f"{name}({', '.join(texts)})")

    def assembled(self, name: str, arguments: Sequence[str], text: ClassText) -> list[str]:
        """See `Language.assembled`: functions that have weights stand before the one that calls them."""
        lines = [line for line in text.functions if line.strip() not in ("", "_")]
        starts = [i for i, line in enumerate(lines) if line.startswith("def ")]
        functions = [lines[i:j] for i, j in zip(starts, [*starts[1:], len(lines)], strict=True)]
        whole, *others = functions
        opening = whole[0].replace("def forward(", f"def {_function(name)}(")
        if not text.init:
            opening = opening.replace(f", {WEIGHTS}", "")
        found = [line for other in others for line in [*other, "", ""]]
        return [*found, opening, *text.doc[:-1], *whole[1:]]

    def imports(self, code: str) -> list[str]:
        """See `Language.imports`."""
        standard = ["import itertools"] * ("itertools." in code) + ["import math"] * ("math." in code)
        standard += ["from collections.abc import Sequence"] * ("Sequence[" in code)
        types = ["", "Array = np.ndarray", *["Weights = dict[str, Array]"] * ("Weights" in code)]
        if "Sides" in code:
            types.append("Sides = Sequence[tuple[int, int]]")
            standard += ["from collections.abc import Sequence"] * ("Sequence[" not in code)
        return [*standard, *[""] * bool(standard), "import numpy as np", *types]


NAMES: dict[type[Part], str] = {
    parts.Dense: "dense",
    parts.Conv: "conv",
    parts.BatchNorm: "batch_norm",
    parts.GroupNorm: "group_norm",
    parts.LayerNorm: "layer_norm",
    parts.Affine: "affine",
}


def _function(name: str) -> str:
    """Return a class's name as that of a function, which is no helper's."""
    found = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return f"{found}_block" if found in HELPERS else found


def _options(part: Part, x: Operand) -> list[str]:
    found = []
    if isinstance(part, parts.Conv):
        around = tuple((n // 2, n // 2) for n in part.reach)
        if part.padding == "same":
            found = [f"sides=same_sides({x.text}, {part.reach}, {part.stride})"]
        elif part.padding == "symmetric" and any(map(any, around)):
            found = [f"sides={around}"]
        found += [f"stride={part.stride}"] * (part.stride != 1)
        found += [f"dilation={part.dilation}"] * (part.dilation != 1)
    if isinstance(part, parts.GroupNorm):
        found.append(str(part.groups))
    if isinstance(part, parts.BatchNorm | parts.GroupNorm | parts.LayerNorm):
        found += [f"eps={plain(part.eps)}"] * (part.eps != 1e-5)
    return found
