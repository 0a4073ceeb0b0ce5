"""Reshapes of neighbouring axes as expressions."""

from __future__ import annotations

from math import prod

from attn_core.porting.network.rules.regrouping import OPEN, Part
from attn_core.porting.network.steps.axes import Axes
from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.forward import Code


def permuted(have: Axes, want: Axes) -> tuple[int, ...] | None:
    """Return the permutation from one order of axes to another; None if they are the same."""
    order = tuple(have.index(axis) for axis in want)
    return None if list(order) == sorted(order) else order


def torch_text(step: Step, inputs: list[Code]) -> str:
    """Write a reshape as PyTorch's `flatten` and `unflatten` of axes in the graph's order."""
    x, *others = (str(each) for each in inputs)
    canonical = Axes(sorted(step.fields["of"]))
    first = permuted(canonical, step.fields["of"])
    text = f"{x}.permute{first}" if first else x
    place = 1
    for part in step.fields["parts"]:
        if part.before > 1:
            text += f".flatten({place}, {place + part.before - 1})"
        if len(part.sizes) > 1:
            text += f".unflatten({place}, ({', '.join(_size(size, others) for size in part.sizes)}))"
        place += len(part.sizes)
    axes = step.fields["axes"]
    last = permuted(axes, Axes(sorted(axes)))
    return f"{text}.permute{last}" if last else text


def _size(size: int | str, others: list[str]) -> str:
    """Write a size, perhaps of an axis of another image."""
    return f"{others[0]}.shape[{size[1:]}]" if isinstance(size, str) else str(size)


def sizes_text(step: Step, shape: str, like: str, order: Axes, like_order: Axes) -> str:
    """Write the shape that `reshape` is given; `shape` and `like` are expressions of shapes, in the graph's order."""
    parts: tuple[Part, ...] = step.fields["parts"]
    of = step.fields["of"]
    texts: list[str] = []
    place = 1
    for part in parts:
        mine = [f"{shape}[{order.index(of[axis])}]" for axis in range(place, place + part.before)]
        for size in part.sizes:
            if isinstance(size, str):
                texts.append(f"{like}[{like_order.index(int(size[1:]))}]")
            else:
                texts.append(str(size) if size != OPEN else _open(mine, part))
        place += part.before
    is_open = [text for text in texts if not text.isdigit()]
    if not is_open:
        return f"(-1, {', '.join(texts)})"
    if len(is_open) == 1 and not like:  # the one size that follows from all others
        texts[texts.index(is_open[0])] = "-1"
    return f"({', '.join(_together([f'{shape}[0]', *texts], shape))})"


def _together(texts: list[str], shape: str) -> list[str]:
    """Write the first sizes as one if they are those of an image: a slice of its shape."""
    own = [f"{shape}[{place}]" for place in range(len(texts))]
    same = [text == mine for text, mine in zip(texts, own, strict=True)]
    count = same.index(False) if False in same else len(same)
    return [f"*{shape}[:{count}]", *texts[count:]] if count > 1 else texts


def _open(mine: list[str], part: Part) -> str:
    """Write the size that is left of a part."""
    others = prod(size for size in part.sizes if isinstance(size, int) and size != OPEN)
    whole = " * ".join(mine)
    if others == 1:
        return whole
    return f"{whole} // {others}" if len(mine) == 1 else f"({whole}) // {others}"
