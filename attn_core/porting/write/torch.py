"""The network as PyTorch source: images are (batch, channels, height, width)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from attn_core.porting.network.steps.axes import NCHW
from attn_core.porting.network.steps.steps import Array, Step
from attn_core.porting.write.classes import Argument, ClassPlan, Instances, Layer
from attn_core.porting.write.common import block_arguments, call, cut, pair, piece, quoted, uniform, wrapped
from attn_core.porting.write.common_fields import resolved
from attn_core.porting.write.forward import Code
from attn_core.porting.write.state import Naming
from attn_core.porting.write.structure import WEIGHTED
from attn_core.porting.write.writer import Statement, Writer, repeated, typed

REDUCTIONS = {"mean": "mean", "sum": "sum", "max": "amax", "min": "amin"}
POOLS = {"mean_pool": "avg_pool2d", "max_pool": "max_pool2d"}
SAME = ("SameConv2d", "avg_pool2d", "max_pool2d")


def _full(step: Step, leaf: str, place: str) -> str:
    return f"{place}.{leaf}" if step.kind in WEIGHTED else place


def _extra(step: Step) -> dict[str, Array]:
    """Return what a batch norm of PyTorch has beside the graph's arrays."""
    if step.kind != "norm":
        return {}
    channels, fields = step.fields["channels"], step.fields
    counter = {"num_batches_tracked": np.zeros((), np.int64)}
    if not fields["scale"] and not fields["center"]:
        return counter
    weight = {} if fields["scale"] else {"weight": np.ones(channels, np.float32)}
    bias = {} if fields["center"] else {"bias": np.zeros(channels, np.float32)}
    return weight | bias | counter


FIXED = """def BatchNorm2d(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, eps={eps}, momentum={momentum})
    norm.weight.requires_grad_(False)  # always 1: the graph has no gamma
    return norm


"""


class Torch(Writer):
    """Writes PyTorch."""

    framework = "PyTorch"
    naming = Naming(_full, extra=_extra)
    functions: ClassVar[dict[str, str]] = {
        "relu": "F.relu", "relu6": "F.relu6", "sigmoid": "torch.sigmoid", "tanh": "torch.tanh", "elu": "F.elu",
        "selu": "F.selu", "silu": "F.silu", "softplus": "F.softplus", "exp": "torch.exp", "log": "torch.log",
        "sqrt": "torch.sqrt", "rsqrt": "torch.rsqrt", "square": "torch.square", "negative": "torch.neg",
        "abs": "torch.abs", "erf": "torch.erf", "softsign": "F.softsign", "expm1": "torch.expm1",
        "log1p": "torch.log1p", "sin": "torch.sin", "cos": "torch.cos", "sign": "torch.sign",
    }  # fmt: skip
    load = '''
def load(weights: str | Path = "weights.safetensors") -> {name}:
    """Return the network with its weights, in eval mode; a relative path starts here."""
    network = {name}()
    network.load_state_dict(load_file(Path(__file__).parent / weights))
    return network.eval()
'''

    def imports(self, text: str) -> str:
        """See `Writer.imports`."""
        same = [name for name in SAME if f"{name}(" in text.replace(f"F.{name}(", "")]
        lines = [
            *(["from functools import partial"] if "partial(" in text else []),
            "from pathlib import Path",
            "",
            *(["import torch"] if "torch." in text.replace("attn_torch.", "") else []),
            "from safetensors.torch import load_file",
            "from torch import Tensor, nn",
            *(["from torch.nn import functional as F"] if "F." in text else []),
        ]
        own = ["import attn_torch"] if "attn_torch." in text else []
        own += [f"from attn_torch.same import {', '.join(same)}"] if same else []
        return "\n".join([*lines, *([""] if own else []), *own]) + "\n"

    def norms(self, body: str) -> str:
        """See `Writer.norms`."""
        if not self.norms_alike or "= BatchNorm2d(" not in body:
            return ""
        if self.fixed:
            return FIXED.format(eps=self.eps, momentum=self.momentum)
        return f"BatchNorm2d = partial(nn.BatchNorm2d, eps={self.eps}, momentum={self.momentum})\n\n\n"

    @property
    def fixed(self) -> bool:
        """Whether all batch norms have a beta and no gamma."""
        alike = self.norms_alike and uniform(self.plan.classes, "norm", "rank") == 4
        return alike and uniform(self.plan.classes, "norm", "form") == "center"

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """See `Writer.opening`."""
        yield f"class {plan.name}(nn.Module):"
        yield f'    """{plan.doc}"""'
        yield ""
        yield from wrapped("def __init__(", ["self", *typed(arguments)], ") -> None:", "    ")
        yield "        super().__init__()"
        if plan.guard:
            yield f"        self.{plan.guard} = {plan.guard}"

    def forward(self, plan: ClassPlan) -> str:
        """See `Writer.forward`."""
        return "def forward(self, x: Tensor) -> Tensor:"

    def instances(self, member: Instances, calls: list[str], indent: str) -> Iterable[str]:
        """See `Writer.instances`."""
        return wrapped(f"self.{member.name} = nn.Sequential(", repeated(calls), ")", indent)

    def run(self, member: Instances, x: Code) -> Code:
        """See `Writer.run`."""
        return Code(f"self.{member.name}({x.text})")

    # ---- layers ------------------------------------------------------------------------------------------------------

    def layer(self, layer: Layer) -> Statement:
        """See `Writer.layer`."""
        step, code = layer.step, layer.code
        if step.kind in ("conv", "depthwise"):
            return self._convolution(layer)
        if step.kind == "dense":
            return "nn.Linear", [code["inputs"], code["outputs"], *([] if step.fields["bias"] else ["bias=False"])]
        if step.kind == "norm":
            return self._norm(layer)
        if step.kind == "attention":
            named = block_arguments(step, layer, ("channels",))
            block = type(step.fields["block"]).__name__
            channels = [code["channels"]] if "channels" in code else []
            return f"attn_torch.{block}", [*channels, *(f"{k}={v}" for k, v in named.items())]
        kind = "nn.Parameter" if step.fields["trained"] else "nn.Buffer"
        return kind, [f"torch.empty({', '.join(map(str, step.fields['shape'])) or '()'})"]

    def after(self, layer: Layer) -> Iterable[str]:
        """See `Writer.after`."""
        fields = layer.step.fields
        if layer.step.kind == "norm" and fields["center"] and not fields["scale"] and not self.fixed:
            yield f"self.{layer.name}.weight.requires_grad_(False)  # always 1"

    def _norm(self, layer: Layer) -> Statement:
        fields = layer.step.fields
        name = "BatchNorm2d" if fields["rank"] == 4 else "BatchNorm1d"
        plain = self.norms_alike and name == "BatchNorm2d"
        numbers = [] if plain else [f"eps={fields['eps']}", f"momentum={fields['momentum']}"]
        named = [] if fields["scale"] or fields["center"] else ["affine=False"]
        return name if plain else f"nn.{name}", [layer.code["channels"], *numbers, *named]

    def _convolution(self, layer: Layer) -> Statement:
        fields, code = layer.step.fields, layer.code
        groups = code["inputs"] if layer.step.kind == "depthwise" else str(fields["groups"])
        border = _border(layer)
        named = {
            "stride": code["stride"] if code["stride"] != "1" else "",
            "padding": border or "",
            "dilation": pair(fields["dilation"]) if fields["dilation"] != (1, 1) else "",
            "groups": groups if groups != "1" else "",
            "bias": "" if fields["bias"] else "False",
        }
        given = [f"{name}={value}" for name, value in named.items() if value]
        name = "SameConv2d" if border is None else "nn.Conv2d"
        return name, [code["inputs"], code["outputs"], pair(fields["kernel"]), *given]

    # ---- steps -------------------------------------------------------------------------------------------------------

    def bound(self, step: Step, parts: list[Code]) -> Code:
        """See `Writer.bound`."""
        if "number" not in step.fields:
            return Code(f"torch.{step.kind}({parts[0].text}, {parts[1].text})")
        number = repr(step.fields["number"])
        value = parts[1] if parts[0].text == number else parts[0]
        return Code(f"{value}.clamp({'min' if step.kind == 'maximum' else 'max'}={number})")

    def step(self, step: Step, inputs: list[Code], layer: Layer | None) -> Code:
        """See `Writer.step`."""
        x, fields = inputs[0].text, step.fields
        if layer is not None:
            if step.kind in ("conv", "depthwise") and _border(layer) == "" and isinstance(fields["padding"], tuple):
                x = f"F.pad({x}, {_flat(((0, 0), (0, 0), *fields['padding']))})"
            return Code(f"self.{layer.name}({x})")
        if step.kind in REDUCTIONS:
            axes, keep = fields["axes"], {"keepdim": True} if fields["keep"] else {}
            return Code(call(f"{inputs[0]}.{REDUCTIONS[step.kind]}", axes if len(axes) > 1 else axes[0], **keep))
        if step.kind in POOLS:
            function = "F." * (fields["padding"] == "valid") + POOLS[step.kind]
            return Code(f"{function}({x}, {pair(fields['window'])}, {pair(fields['stride'])})")
        if step.kind == "pad":
            return self._pad(step, x)
        if step.kind == "flatten":
            turned = "" if fields["free"] else f".permute(0, {', '.join(map(str, fields['axes']))})"
            return Code(f"{inputs[0]}{turned}.flatten(1)")
        if step.kind == "concat":
            return Code(f"torch.cat([{', '.join(each.text for each in inputs)}], {fields['axis']})")
        return self._small(step, inputs[0])

    def _small(self, step: Step, x: Code) -> Code:
        fields = step.fields
        texts = {
            "softmax": lambda: f"F.softmax({x.text}, {fields['axis']})",
            "log_softmax": lambda: f"F.log_softmax({x.text}, {fields['axis']})",
            "local_response_norm": lambda: self._local_response(x, step),
            "leaky_relu": lambda: f"F.leaky_relu({x.text}, {fields['slope']})",
            "clip": lambda: f"{x}.clamp({fields['low']}, {fields['high']})",
            "slice": lambda: self._slice(step, x),
            "cut": lambda: f"{x}[{', '.join(map(cut, fields['cuts']))}]",
            "permute": lambda: f"{x}.permute{fields['axes']}",
            "squeeze": lambda: f"{x}.squeeze({fields['axes']})",
            "to_image": lambda: f"{x}[:, :, None, None]",
            "unflatten": lambda: self._unflatten(x, step),
        }
        if step.kind not in texts:
            raise self.strange(step)
        return Code(texts[step.kind]())

    def _slice(self, step: Step, x: Code) -> str:
        fields = step.fields
        if "part" in fields:
            return f"{x}.chunk({fields['parts']}, {fields['axis']})[{fields['part']}]"
        return f"{x}[{':, ' * fields['axis']}{piece(fields)}]"

    def _unflatten(self, x: Code, step: Step) -> str:
        axes, sizes = step.fields["axes"], step.fields["sizes"]
        if axes == NCHW or sizes[axes.index(1) - 1] == 1:  # a single channel may stand anywhere
            return f"{x}.unflatten(1, {tuple(sizes[axes.index(axis) - 1] for axis in (1, 2, 3))})"
        return f"{x}.unflatten(1, {sizes}).permute(0, 3, 1, 2)"

    def _local_response(self, x: Code, step: Step) -> str:
        fields, size = step.fields, 2 * step.fields["radius"] + 1
        alpha = float(f"{fields['alpha'] * size:.7g}")  # which PyTorch divides by the size
        return f"F.local_response_norm({x.text}, {size}, alpha={alpha}, beta={fields['beta']}, k={fields['bias']})"

    def _pad(self, step: Step, x: str) -> Code:
        mode, value = step.fields["mode"], step.fields["value"]
        if mode == "symmetric":
            raise self.strange(step, "torch.nn.functional.pad mirrors without the edge only")
        named = {"mode": quoted(mode)} if mode != "constant" else {"value": value} if value else {}
        return Code(call("F.pad", x, _flat(step.fields["borders"]), **named))


def _border(layer: Layer) -> str | None:
    """Return the padding that PyTorch's convolution can do itself, empty for none; None if it follows the size."""
    fields, padding = layer.step.fields, resolved(layer.varying["padding"])
    reach = [rate * (length - 1) for rate, length in zip(fields["dilation"], fields["kernel"], strict=True)]
    if padding == "valid":
        return ""
    if padding == "symmetric":  # or either
        return pair((reach[0] // 2, reach[1] // 2))
    if padding == "same":
        return None
    (top, bottom), (left, right) = padding
    return pair((top, left)) if top == bottom and left == right else ""


def _flat(borders: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    """Return borders as PyTorch wants them: the last axis first, and no axes without any before the first."""
    found = [n for before_after in reversed(borders) for n in before_after]
    while len(found) > 2 and not any(found[-2:]):
        found = found[:-2]
    return tuple(found)
