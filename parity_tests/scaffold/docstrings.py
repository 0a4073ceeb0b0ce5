"""Docstrings of native classes, made of those of the blocks.

A block's docstring has its first sentence; "**In short**:", the formula in plain text; the formula as mathematics;
"**Shape**:", in the canonical layout, where an image is (batch, channels, *space).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise

import attn_core
from scaffold.described import Described

WIDTH, MARGIN = 120, "    "
HELD = "\x00"  # a space at which no line ends
IMAGE = re.compile(r"\(batch, (?P<channels>[^,()]+), (?P<space>(?:[^()]|\([^()]*\))+)\)")

OF_LAYERS = (
    "``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions "
    "inside, as in Flax's own; None leaves kernels and biases to the block."
)


def docstring(*paragraphs: str) -> str:
    """Return the docstring of a class; what is no list or directive is wrapped. Empty paragraphs are left out."""
    first, *rest = filter(None, paragraphs)
    text = "\n\n".join([first, *map(_wrapped, rest)])
    return f'{"r" * (chr(92) in text)}"""{text}\n{MARGIN}"""'


def summary(block: Described) -> str:
    """Return the first sentence."""
    return block.paragraphs[0]


def mathematics(block: Described) -> str:
    """Return the first formula as mathematics."""
    return next((p for p in block.paragraphs if p.startswith(".. math::")), "")


def in_short(block: Described) -> str:
    """Return the formula in plain text."""
    return _plain(block.labelled("In short"))


def canonical_shape(block: Described) -> str:
    """Return the shapes for a framework whose images are (batch, channels, *space)."""
    return f"**Shape**: {block.labelled('Shape')}"


def channels_last_shape(block: Described) -> str:
    """Return the shapes for a framework whose images are (batch, *space, channels)."""
    others = tuple(f"{name} " for name in block.block.inputs[1:])

    def turned(image: re.Match[str]) -> str:
        if image.string[: image.start()].endswith(others):  # another input is an array, the same in every framework
            return image[0]
        return f"(batch, {image['space']}, {image['channels']})"

    return f"**Shape**: {_plain(IMAGE.sub(turned, block.labelled('Shape')))}"


def fields(block: Described, *options: str, from_input: bool = False) -> str:
    """Return the list of fields: those of the block that the class has, then options that its framework adds."""
    read = [name for name in ("channels", "rank") if from_input and block.has(name)]
    lines = [line for line in _explained(block) if not set(re.findall(r"``(\w+)``", line)) <= set(read)]
    if read:
        verb = "are" if "channels" in read else "is"
        lines.append(f"- {' and '.join(f'``{name}``' for name in read)} {verb} read from the input.")
    return "\n".join(["**Fields**\n", *map(_plain, lines), *(f"- {option}" for option in options)])


def _explained(block: Described) -> Iterator[str]:
    """Return these lines; after one that names another block, what that says of the fields."""
    for line in _stated(block):
        yield line
        if other := re.search(r": (?:those|that) of `(\w+)`", line):
            theirs = _stated(Described(getattr(attn_core, other[1])))
            yield from (each for each in theirs if set(_leading(each)) & set(_leading(line)))


def _stated(block: Described) -> list[str]:
    """Return what the block's docstring says of its fields, a line for each."""
    start = "**Fields**"
    texts = [p for before, p in pairwise(["", *block.paragraphs]) if before == start or p.startswith(f"{start}: ")]
    points = re.split(r"^- ", "\n".join(texts).removeprefix(f"{start}: "), flags=re.MULTILINE)
    return [f"- {' '.join(point.split())}" for point in points if point]


def _leading(line: str) -> list[str]:
    """Return the names that a line begins with."""
    return re.findall(r"``(\w+)``", line.partition(":")[0])


def derivatives(block: Described) -> str:
    """Return what PyTorch's kernels leave out, if the block says so."""
    text = block.labelled("In PyTorch")
    return f"**Derivatives**: {text}" if text else ""


def _wrapped(paragraph: str) -> str:
    if paragraph.startswith(".. "):
        return textwrap.indent(paragraph, MARGIN)
    if "\n- " in paragraph:
        head, *points = paragraph.split("\n- ")
        return "\n".join([textwrap.indent(head, MARGIN), *(_filled(f"- {point}", "  ") for point in points)])
    whole = re.sub(r"\(batch[^()]*\)", lambda shape: shape[0].replace(" ", HELD), " ".join(paragraph.split()))
    return _filled(whole).replace(HELD, " ")


def _filled(text: str, hanging: str = "") -> str:
    layout = {"initial_indent": MARGIN, "subsequent_indent": MARGIN + hanging}
    return textwrap.fill(text, WIDTH, **layout, break_on_hyphens=False, break_long_words=False)


def _plain(text: str) -> str:
    return text.replace(r"\*", "*")
