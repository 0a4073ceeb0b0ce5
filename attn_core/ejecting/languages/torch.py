"""PyTorch: images are (batch, channels, *space), names and layouts of weights are the canonical ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from attn_core.ejecting.helpers.torch import HELPERS
from attn_core.ejecting.languages.language import Language
from attn_core.ejecting.tracing.symbols import Step, Trace
from attn_core.ejecting.words.code import Code, Operand, plain, same
from attn_core.ejecting.words.torch import TorchWords
from attn_core.ejecting.writing.holes import ClassText, hole
from attn_core.ejecting.writing.laws import FAN_IN, FAN_OUT, SCALED, UNIFORM, Law, law_of
from attn_core.spec import Part, parts
from attn_core.spec.initializers import Constant, Directions, Normal, Values

ONES = Constant(1.0)
LAYER = re.compile(r"self\.\w+")
FEWEST = 3  # lines that become a loop


class Torch(Language):
    """Writes PyTorch."""

    name = "PyTorch"
    words = TorchWords()
    weights = "Weights have the names of attn_torch's layer: a `state_dict` moves both ways."
    helpers: ClassVar[Mapping[str, str]] = HELPERS

    def layer(self, name: str, part: Part) -> list[str]:
        """See `Language.layer`."""
        return [f"self.{name} = {_made(name, part)}"]

    def starts(self, name: str, part: Part) -> list[str]:
        """See `Language.starts`."""
        return _started(name, part)

    def together(self, lines: list[str]) -> list[str]:
        """See `Language.together`: lines that differ in the layer alone become a loop."""
        groups: dict[str, list[str]] = {}
        for line in lines:
            groups.setdefault(LAYER.sub("layer", line), []).append(line)
        return [line for common, each in groups.items() for line in _looped(common, each)]

    def frozen(self, name: str) -> list[str]:
        """See `Language.frozen`."""
        return [f"self.{name}.requires_grad_(False)  # no gradient reaches it"]

    def constant(self, text: str) -> list[str]:
        """See `Language.constant`."""
        return [f'self.register_buffer("index", torch.from_numpy({text}), persistent=False)']

    def part(self, trace: Trace, step: Step, given: Sequence[Operand]) -> Code:
        """See `Language.part`; a convolution padded as TensorFlow's SAME takes the padded image."""
        part = trace.block.parts()[step.part]
        if step.kind == "update":
            return Code(f"self.{step.part}.update({given[0].text})")
        if isinstance(part, parts.Conv) and _is_lopsided(part):
            padded = f"pad_same({given[0].text}, {same(part.reach)}, self.{step.part}.stride[0])"
            return Code(f"self.{step.part}({padded})")
        return super().part(trace, step, given)

    def index(self, text: str) -> Code:
        """See `Language.index`."""
        return Code("self.index")

    def signature(self, name: str, names: Sequence[str], own: bool, told: bool) -> str:
        """See `Language.signature`."""
        given = ", ".join([*["self"] * own, *(f"{each}: Tensor" for each in names)])
        return f"def {name}({given}) -> Tensor:"

    def assembled(self, name: str, arguments: Sequence[str], text: ClassText) -> list[str]:
        """See `Language.assembled`."""
        given = ", ".join(["self", *(f"{each}: int" for each in arguments)])
        init = [f"    def __init__({given}) -> None:", "        super().__init__()"]
        init += [f"        {line}" for line in text.init]
        return [
            f"class {name}(nn.Module):",
            *text.doc,
            *([*init, ""] if text.init else []),
            *(f"    {line}" if line else "" for line in text.functions),
        ]

    def imports(self, code: str) -> list[str]:
        """See `Language.imports`."""
        math = ["import math", ""] if "math." in code else []
        numpy = ["import numpy as np"] if "np." in code else []
        own = ["import torch"] if "torch." in code else []
        functional = ["from torch.nn import functional as F"] if "F." in code else []
        return [*math, *numpy, *own, "from torch import Tensor, nn", *functional]


def _looped(common: str, lines: list[str]) -> list[str]:
    if len(lines) < FEWEST:
        return lines
    layers = ", ".join(found[0] for line in lines if (found := LAYER.search(line)))
    return [f"for layer in ({layers}):", f"    {common}"]


def _made(name: str, part: Part) -> str:
    match part:
        case parts.Dense():
            sizes = f"{hole(f'{name}_inputs', part.inputs)}, {hole(f'{name}_outputs', part.outputs)}"
            return f"nn.Linear({sizes}{_without(part.bias)})"
        case parts.Conv():
            return _convolution(name, part)
        case parts.BatchNorm():
            channels = hole(f"{name}_channels", part.channels)
            return f"nn.BatchNorm{max(part.rank, 1)}d({channels}{_norm(part.eps)}{_momentum(part.momentum)})"
        case parts.GroupNorm():
            groups, channels = hole(f"{name}_groups", part.groups), hole(f"{name}_channels", part.channels)
            return f"nn.GroupNorm({groups}, {channels}{_norm(part.eps)})"
        case parts.LayerNorm():
            return f"nn.LayerNorm({hole(f'{name}_features', part.features)}{_norm(part.eps)})"
        case parts.Affine():
            return f"Affine({hole(f'{name}_channels', part.channels)})"
        case parts.Dropout():
            return f"nn.Dropout({plain(part.rate)})"
        case parts.Running():
            return f"Running({', '.join(map(str, part.shape))}, momentum={plain(part.momentum)})"
    raise NotImplementedError(f"PyTorch's sources have no {type(part).__name__}")


def _convolution(name: str, part: parts.Conv) -> str:
    given = [hole(f"{name}_inputs", part.inputs), hole(f"{name}_outputs", part.outputs), same(part.kernel)]
    given.append(f"stride={hole('stride', part.stride)}")
    if part.padding != "valid" and not _is_lopsided(part):
        around = tuple(length // 2 for length in part.reach)
        given += [f"padding={same(around)}"] * any(around)
    given += [f"dilation={part.dilation}"] * (part.dilation != 1) + [f"groups={part.groups}"] * (part.groups != 1)
    return f"nn.Conv{part.rank}d({', '.join(given)}{_without(part.bias)})"


def _is_lopsided(part: parts.Conv) -> bool:
    """Say whether a convolution pads as PyTorch's own cannot."""
    return part.padding == "same" and (part.stride > 1 or not all(length % 2 for length in part.kernel))


def _without(bias: bool) -> str:
    return "" if bias else ", bias=False"


def _norm(eps: float) -> str:
    return f", eps={eps!r}" if eps != 1e-5 else ""


def _momentum(momentum: float) -> str:
    return f", momentum={plain(momentum)}" if momentum != 0.1 else ""


# ---- fresh weights ---------------------------------------------------------------------------------------------------


def _started(name: str, part: Part) -> list[str]:
    """Return the lines that draw what PyTorch's layer would draw otherwise."""
    found = []
    for leaf, array in part.arrays().items():
        law = law_of(part, array)
        usual = law.kind == UNIFORM if isinstance(part, parts.Dense | parts.Conv) else law.law == _usual(leaf)
        if (array.trainable or isinstance(part, parts.Running)) and not usual:
            found.append(_drawn(f"self.{name}.{leaf}", law))
    return found


def _usual(leaf: str) -> Constant:
    return Constant(0.0) if leaf == "bias" else ONES


def _drawn(array: str, law: Law) -> str:
    if law.kind == SCALED:
        return f"variance_scaling_({array})"
    if law.kind in (FAN_IN, FAN_OUT):
        mode = ', mode="fan_out"' * (law.kind == FAN_OUT)
        return f'nn.init.kaiming_normal_({array}{mode}, nonlinearity="relu")'
    match law.law:
        case Constant(value):
            known = {0.0: "nn.init.zeros_({})", 1.0: "nn.init.ones_({})"}
            return known.get(value, f"nn.init.constant_({{}}, {plain(value)})").format(array)
        case Normal(std):
            return f"nn.init.normal_({array}, std={std!r})"
        case Values(values):
            return f"{array}.data.copy_(torch.tensor([{', '.join(f'{value:.1f}' for value in values)}]))"
        case Directions():
            return f"{array}.copy_(F.normalize(torch.randn({array}.shape), dim=-1))"
    return f"nn.init.uniform_({array}, -{law.law.bound!r}, {law.law.bound!r})"  # type: ignore[attr-defined]
