"""The network as PyTorch source: images are (batch, channels, height, width), signals and volumes likewise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from attn_core.porting.network.steps.steps import Array, Step
from attn_core.porting.write.attention import block_arguments, block_name
from attn_core.porting.write.classes import Argument, ClassPlan, Instances, LayerMember
from attn_core.porting.write.forward import Code
from attn_core.porting.write.padding import Either, is_lopsided, symmetric
from attn_core.porting.write.region import WEIGHTED
from attn_core.porting.write.spelling import CallText, named, number, only_if, repeated, typed, wrapped
from attn_core.porting.write.state import Convention
from attn_core.porting.write.torch_steps import TorchSteps

SAME = [f"{name}{n}d" for name in ("SameConv", "avg_pool", "max_pool") for n in (1, 2, 3)]  # of attn_torch.same

# A function in place of the class, where the author's norms have no gamma and PyTorch's do.
CENTRED = """def {name}(channels: int) -> nn.{name}:
    norm = nn.{name}(channels, eps={eps}, momentum={momentum})
    norm.weight.requires_grad_(False)  # always 1: the graph has no gamma
    return norm


"""


def _full(step: Step, leaf: str, place: str) -> str:
    return f"{place}.{leaf}" if step.kind in WEIGHTED else place


def _extra(step: Step) -> dict[str, Array]:
    """Return what a batch norm of PyTorch has beside the graph's arrays."""
    if step.kind != "norm":
        return {}
    fields = step.fields
    found: dict[str, Array] = {}
    # With one of gamma and beta, PyTorch has both; with none of them (affine=False), neither.
    if fields["scale"] or fields["center"]:
        if not fields["scale"]:
            found["weight"] = np.ones(fields["channels"], np.float32)
        if not fields["center"]:
            found["bias"] = np.zeros(fields["channels"], np.float32)
    found["num_batches_tracked"] = np.zeros((), np.int64)
    return found


class Torch(TorchSteps):
    """Writes PyTorch."""

    framework = "PyTorch"
    convention = Convention(_full, extra=_extra)
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
        """See `Words.imports`."""
        lines = [
            *only_if("partial(" in text, "from functools import partial"),
            "from pathlib import Path",
            "",
            *only_if("torch." in text.replace("attn_torch.", ""), "import torch"),
            "from safetensors.torch import load_file",
            "from torch import Tensor, nn",
            *only_if("F." in text, "from torch.nn import functional as F"),
        ]
        # torch.nn.functional has pools of the same names.
        same = [name for name in SAME if f"{name}(" in text.replace(f"F.{name}(", "")]
        own = [
            *only_if("attn_torch." in text, "import attn_torch"),
            *only_if(bool(same), f"from attn_torch.same import {', '.join(same)}"),
        ]
        if own:
            lines += ["", *own]
        return "\n".join(lines) + "\n"

    def norms(self, body: str) -> str:
        """See `Words.norms`."""
        name = self.usual_norm
        if not self.norms_alike or f"= {name}(" not in body:
            return ""
        if self.only_centred:
            return CENTRED.format(name=name, eps=self.eps, momentum=self.momentum)
        return f"{name} = partial(nn.{name}, eps={self.eps}, momentum={self.momentum})\n\n\n"

    @property
    def usual_norm(self) -> str:
        """The name of the norm of the network's images."""
        return f"BatchNorm{self.dimensions}d"

    @property
    def only_centred(self) -> bool:
        """Whether all batch norms are alike and have a beta and no gamma."""
        of_images = self.plan.uniform("norm", "rank") == self.rank
        return self.norms_alike and of_images and self.plan.uniform("norm", "form") == "center"

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """See `Words.opening`."""
        yield f"class {plan.name}(nn.Module):"
        yield f'    """{plan.doc}"""'
        yield ""
        yield from wrapped("def __init__(", ["self", *typed(arguments)], ") -> None:", "    ")
        yield "        super().__init__()"
        if plan.guard:
            yield f"        self.{plan.guard} = {plan.guard}"

    def forward(self, plan: ClassPlan) -> str:
        """See `Words.forward`."""
        return "def forward(self, x: Tensor) -> Tensor:"

    def instances(self, member: Instances, calls: list[str], indent: str) -> Iterable[str]:
        """See `Words.instances`."""
        return wrapped(f"self.{member.name} = nn.Sequential(", repeated(calls), ")", indent)

    def run(self, member: Instances, x: Code) -> Code:
        """See `Words.run`."""
        return Code(f"self.{member.name}({x.text})")

    # ---- layers ------------------------------------------------------------------------------------------------------

    def layer(self, layer: LayerMember) -> CallText:
        """See `Words.layer`."""
        step, sizes = layer.step, layer.sizes
        if step.kind in ("conv", "depthwise"):
            return _convolution(layer)
        if step.kind == "transposed":
            return _transposed(layer)
        if step.kind == "dense":
            return CallText("nn.Linear", [sizes["inputs"], sizes["outputs"], *_without_bias(step)])
        if step.kind == "norm":
            return self._norm(layer)
        if step.kind == "attention":
            channels = [sizes["channels"]] if "channels" in sizes else []
            return CallText(f"attn_torch.{block_name(layer)}", [*channels, *named(block_arguments(layer))])
        kind = "nn.Parameter" if step.fields["trained"] else "nn.Buffer"
        shape = ", ".join(map(str, step.fields["shape"])) or "()"
        return CallText(kind, [f"torch.empty({shape})"])

    def after(self, layer: LayerMember) -> Iterable[str]:
        """See `Words.after`."""
        fields = layer.step.fields
        if layer.step.kind != "norm" or self.only_centred:
            return
        # PyTorch has no batch norm with a beta alone; a gamma that is trained would not be the graph's network.
        if fields["center"] and not fields["scale"]:
            yield f"self.{layer.name}.weight.requires_grad_(False)  # always 1"

    def _norm(self, layer: LayerMember) -> CallText:
        fields, channels = layer.step.fields, layer.sizes["channels"]
        affine = [] if fields["scale"] or fields["center"] else ["affine=False"]
        name = f"BatchNorm{max(1, fields['rank'] - 2)}d"
        if name == self.usual_norm and self.norms_alike:
            return CallText(name, [channels, *affine])
        return CallText(f"nn.{name}", [channels, f"eps={fields['eps']}", f"momentum={fields['momentum']}", *affine])


def _without_bias(step: Step) -> list[str]:
    return [] if step.fields["bias"] else ["bias=False"]


def _convolution(layer: LayerMember) -> CallText:
    fields, sizes = layer.step.fields, layer.sizes
    groups = sizes["inputs"] if layer.step.kind == "depthwise" else str(fields["groups"])
    dilation = number(fields["dilation"])
    options = {
        "stride": "" if sizes["stride"] == "1" else sizes["stride"],
        "padding": _padding(layer),
        "dilation": "" if dilation == "1" else dilation,
        "groups": "" if groups == "1" else groups,
    }
    name = f"SameConv{layer.dimensions}d" if _follows_size(layer) else f"nn.Conv{layer.dimensions}d"
    channels = [sizes["inputs"], sizes["outputs"]]
    return CallText(name, [*channels, number(fields["kernel"]), *named(options), *_without_bias(layer.step)])


def _transposed(layer: LayerMember) -> CallText:
    fields, sizes = layer.step.fields, layer.sizes
    options = {"stride": "" if sizes["stride"] == "1" else sizes["stride"], "padding": _border(layer.step)}
    given = [sizes["inputs"], sizes["outputs"], number(fields["kernel"]), *named(options)]
    return CallText(f"nn.ConvTranspose{layer.dimensions}d", [*given, *_without_bias(layer.step)])


def _border(step: Step) -> str:
    """Return what PyTorch cuts off a transposed convolution, at both ends of an axis alike; empty for nothing."""
    crop = step.fields["crop"]
    if is_lopsided(crop) or not any(map(any, crop)):
        return ""
    return number(tuple(before for before, _ in crop))


def _follows_size(layer: LayerMember) -> bool:
    """Whether the borders depend on the size of the image, which PyTorch's own convolution does not know."""
    return layer.padding == "same" and not isinstance(layer.padding, Either)


def _padding(layer: LayerMember) -> str:
    """Return the padding that PyTorch's convolution is given, empty for none."""
    padding = layer.padding
    if padding == "symmetric":  # or either
        padding = symmetric(layer.step)
    # Borders that differ come before the convolution.
    if not isinstance(padding, tuple) or is_lopsided(padding):
        return ""
    return number(tuple(before for before, _ in padding))
