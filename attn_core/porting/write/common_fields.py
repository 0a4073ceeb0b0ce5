"""What steps have in common that can be the same line of a class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attn_core.porting.network.steps.steps import Step

SIZES = frozenset({"inputs", "outputs", "channels", "stride"})  # what instances of a class may differ in
BLOCK_SIZES = ("channels", "hidden", "reduction")


class Either(str):
    """The padding of a step of 1 and an odd kernel, which is symmetric and TensorFlow's SAME alike."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return other in ("same", "symmetric")


def padding(step: Step) -> Any:
    """Return the padding of a convolution: valid, same, symmetric, either of these, or borders."""
    fields = step.fields
    reach = [rate * (length - 1) for rate, length in zip(fields["dilation"], fields["kernel"], strict=True)]
    centred = tuple((n // 2, n // 2) for n in reach)
    odd, still = not any(n % 2 for n in reach), fields["stride"] == (1, 1)
    if not any(reach) and fields["padding"] in ("valid", "same"):
        return "valid"  # a single pixel needs no border, whatever the stride
    if fields["padding"] == "same":
        return Either("same") if odd and still else "same"
    if odd and fields["padding"] == centred:
        return Either("same") if still else "symmetric"
    return fields["padding"]


def resolved(paddings: Iterable[Any]) -> Any:
    """Return the padding that fits all instances of a layer."""
    found = list(paddings)
    return next((each for each in found if not isinstance(each, Either)), found[0])


def signature(step: Step) -> Any:
    """Return what must be equal for two steps to be the same line of a class."""
    fields = {name: value for name, value in step.fields.items() if name not in SIZES}
    if step.kind == "attention":
        block = fields.pop("block")
        config = {name: value for name, value in block.config().items() if name not in BLOCK_SIZES}
        fields |= {"block": type(block).__name__, "config": tuple(config.items())}
    if step.kind == "depthwise":
        fields["groups"] = step.fields["outputs"] // step.fields["inputs"]
    if step.kind in ("conv", "depthwise"):
        fields["padding"] = padding(step)
    return (step.kind, tuple(sorted(fields.items(), key=lambda entry: entry[0])))
