"""Keras 3, on any backend: channels last, layers that read their sizes from what they are called on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from attn_core.ejecting.helpers.keras import HELPERS
from attn_core.ejecting.languages.language import Language
from attn_core.ejecting.languages.training import trains
from attn_core.ejecting.tracing.symbols import Step, Trace
from attn_core.ejecting.words.code import Code, Operand, plain, same
from attn_core.ejecting.words.keras import KerasWords
from attn_core.ejecting.writing.holes import ClassText, hole
from attn_core.ejecting.writing.laws import FAN_IN, FAN_OUT, SCALED, UNIFORM, Law, law_of
from attn_core.spec import Part, parts
from attn_core.spec.initializers import Constant, Directions, Normal, Values

NORMS = (parts.BatchNorm, parts.GroupNorm, parts.LayerNorm)
LIBRARY = "keras.initializers"


class Keras(Language):
    """Writes Keras 3."""

    name = "Keras 3"
    training = "training"
    channels_last = True
    words = KerasWords()
    weights = "Weights have the order and places of attn_tf's layer: `get_weights` moves both ways."
    helpers: ClassVar[Mapping[str, str]] = HELPERS

    def layer(self, name: str, part: Part) -> list[str]:
        """See `Language.layer`."""
        kind, given = _kind(name, part)
        return [f"self.{name} = {kind}({', '.join([*given, *_options(part), *self._laws(part)])})"]

    def _laws(self, part: Part) -> list[str]:
        """Return the laws that are not those of the layer by itself."""
        found = []
        for leaf, array in part.arrays().items():
            name = self.leaf(part, leaf)
            usual = Constant(1.0 if leaf == "weight" and name != "kernel" else 0.0)
            if isinstance(part, parts.Running) or (array.trainable and (name == "kernel" or array.law != usual)):
                found.append(f"{name}_initializer={_law(law_of(part, array))}")
        return found

    def leaf(self, part: Part, name: str) -> str:
        """See `Language.leaf`."""
        if isinstance(part, NORMS):
            return {"weight": "gamma", "bias": "beta"}.get(name, name)
        return "kernel" if isinstance(part, parts.Dense | parts.Conv) and name == "weight" else name

    def constant(self, text: str) -> list[str]:
        """See `Language.constant`."""
        return [f"self.index = {text}"]

    def index(self, text: str) -> Code:
        """See `Language.index`."""
        return Code("self.index")

    def part(self, trace: Trace, step: Step, given: Sequence[Operand]) -> Code:
        """See `Language.part`; zeros that Keras' own paddings do not have come before a convolution."""
        part = trace.block.parts()[step.part]
        texts = [each.text for each in given]
        if step.kind == "update":
            return Code(f"self.{step.part}.update({texts[0]}, training)")
        if step.kind == "Running":
            return Code(f"self.{step.part}.read()")
        if isinstance(part, parts.Conv) and _is_padded_before(part):
            texts = [self.words.call("pad", given[0], self.words.sides(given[0], [n // 2 for n in part.kernel])).text]
        told = ["training=training"] * (trains(part) and not isinstance(part, parts.Running))
        return Code(f"self.{step.part}({', '.join([*texts, *told])})")

    def signature(self, name: str, names: Sequence[str], own: bool, told: bool) -> str:
        """See `Language.signature`."""
        train = ["training=None" if name == self.call_name() else "training"] * told
        return f"def {name}({', '.join([*['self'] * own, *names, *train])}):"

    def call_name(self) -> str:
        """See `Language.call_name`."""
        return "call"

    def assembled(self, name: str, arguments: Sequence[str], text: ClassText) -> list[str]:
        """See `Language.assembled`."""
        given = ", ".join(["self", *arguments, "**options"])
        init = [f"    def __init__({given}):", "        super().__init__(**options)"]
        init += [f"        {line}" for line in text.init]
        return [
            f"class {name}(keras.layers.Layer):",
            *text.doc,
            *([*init, ""] if text.init else []),
            *(f"    {line}" if line else "" for line in text.functions),
        ]

    def imports(self, code: str) -> list[str]:
        """See `Language.imports`."""
        standard = ["import itertools"] * ("itertools." in code) + ["import math"] * ("math." in code)
        numpy = ["import numpy as np"] if "np." in code else []
        ops = ["from keras import ops"] if "ops." in code else []
        return [*standard, *[""] * bool(standard), "import keras", *numpy, *ops]


def _kind(name: str, part: Part) -> tuple[str, list[str]]:
    outputs = hole(f"{name}_outputs", getattr(part, "outputs", 0))
    match part:
        case parts.Dense():
            return "keras.layers.Dense", [outputs]
        case parts.Conv():
            return f"keras.layers.Conv{part.rank}D", [outputs, same(part.kernel)]
        case parts.BatchNorm():
            return "keras.layers.BatchNormalization", [f"momentum={plain(round(1 - part.momentum, 12))}"]
        case parts.GroupNorm():
            return "keras.layers.GroupNormalization", [hole(f"{name}_groups", part.groups)]
        case parts.LayerNorm():
            return "keras.layers.LayerNormalization", []
        case parts.Affine():
            return "Affine", []
        case parts.Dropout():
            return "keras.layers.Dropout", [plain(part.rate)]
        case parts.Running():
            return "Running", [str(part.shape), f"momentum={plain(part.momentum)}"]
    raise NotImplementedError(f"Keras' sources have no {type(part).__name__}")


def _options(part: Part) -> list[str]:
    found = []
    if isinstance(part, parts.Conv):
        found.append(f"strides={hole('stride', part.stride)}")
        is_same = not _is_padded_before(part) and part.padding != "valid" and any(n > 1 for n in part.kernel)
        found += ['padding="same"'] * is_same
        found += [f"dilation_rate={part.dilation}"] * (part.dilation != 1)
        found += [f"groups={part.groups}"] * (part.groups != 1)
    if isinstance(part, NORMS):
        found += [f"epsilon={plain(part.eps)}"] * (part.eps != 1e-3)
    if isinstance(part, parts.Dense | parts.Conv):
        found += ["use_bias=False"] * (not part.bias)
    return found


def _is_padded_before(part: parts.Conv) -> bool:
    """Say whether the zeros around an image are not those of Keras' "same", which with a stride follow the size."""
    return part.padding == "symmetric" and part.stride > 1 and any(n > 1 for n in part.kernel)


def _law(law: Law) -> str:
    fan_in = hole("fan_in", law.fan_in)
    if law.kind == UNIFORM:
        return f"uniform({fan_in})"
    if law.kind == SCALED:
        return f"variance_scaling({fan_in})"
    if law.kind in (FAN_IN, FAN_OUT):
        return f'{LIBRARY}.VarianceScaling(2.0, "{law.kind}", "untruncated_normal")'
    match law.law:
        case Constant(value):
            return {0.0: '"zeros"', 1.0: '"ones"'}.get(value, f"{LIBRARY}.Constant({plain(value)})")
        case Normal(std):
            return f"{LIBRARY}.RandomNormal(stddev={std!r})"
        case Values(values):
            return f"{LIBRARY}.Constant([{', '.join(f'{value:.1f}' for value in values)}])"
        case Directions():
            return "directions"
    raise NotImplementedError(f"Keras' sources have no {law.law!r}")
