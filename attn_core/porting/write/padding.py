"""The padding of convolutions, as far as instances of one class can share it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attn_core.porting.network.steps.steps import Step


class Either(str):
    """The padding of a step of 1 and an odd kernel, which is symmetric and TensorFlow's SAME alike."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return other in ("same", "symmetric")


def reach(step: Step) -> list[int]:
    """Return how many pixels beside its own a kernel sees, along each axis."""
    kernel = zip(step.fields["dilation"], step.fields["kernel"], strict=True)
    return [rate * (length - 1) for rate, length in kernel]


def padding(step: Step) -> Any:
    """Return the padding of a convolution: valid, same, symmetric, either of these, or borders."""
    given = step.fields["padding"]
    beside = reach(step)
    if not any(beside) and given in ("valid", "same"):
        return "valid"  # a single pixel needs no border, whatever the stride
    is_odd = all(pixels % 2 == 0 for pixels in beside)
    # With a stride, SAME depends on the size: of an even image, it pads the end more than the beginning.
    is_still = set(step.fields["stride"]) == {1}
    if given == "same":
        return Either("same") if is_odd and is_still else "same"
    if is_odd and given == _centred(beside):
        return Either("same") if is_still else "symmetric"
    return given


def _centred(beside: list[int]) -> tuple[tuple[int, ...], ...]:
    """Return the borders that keep the size where the stride is 1."""
    return tuple((pixels // 2, pixels // 2) for pixels in beside)


def symmetric(step: Step) -> tuple[tuple[int, ...], ...]:
    """Return the borders that symmetric padding stands for."""
    return _centred(reach(step))


def is_lopsided(padding: Any) -> bool:
    """Whether borders before and after the image differ."""
    return isinstance(padding, tuple) and any(before != after for before, after in padding)


def resolved(paddings: Iterable[Any]) -> Any:
    """Return the padding that fits all instances of a layer."""
    found = list(paddings)
    # All of them are equal, or the instances would not be of one class; one that is not both ways decides.
    return next((each for each in found if not isinstance(each, Either)), found[0])
