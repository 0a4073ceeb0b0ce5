"""Docstrings of native classes, made of those of the blocks.

A block's docstring has its first sentence; "**In short**:", the formula in plain text; the formula as mathematics;
"**Shape**:", in the canonical layout, where an image is (batch, channels, *space).
"""

from __future__ import annotations

import re
import textwrap

from scaffold.described import Described

WIDTH, MARGIN = 120, "    "
HELD = "\x00"  # a space at which no line ends
IMAGE = re.compile(r"\(batch, (?P<channels>[^,()]+), (?P<space>(?:[^()]|\([^()]*\))+)\)")


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


def fields(block: Described, options: str = "", *, from_input: bool = False) -> str:
    """Return the sentence on fields: those of the block, those that are read from the input, and options."""
    read = [name for name in ("channels", "rank") if from_input and block.has(name)]
    verb = "are" if "channels" in read else "is"
    from_image = f"{' and '.join(read)} {verb} read from the input" if read else ""
    return "**Fields**: " + "; ".join(filter(None, [f"see `attn_core.{block.name}`", from_image, options])) + "."


def derivatives(block: Described) -> str:
    """Return what PyTorch's kernels leave out, if the block says so."""
    text = block.labelled("In PyTorch")
    return f"**Derivatives**: {text}" if text else ""


def _wrapped(paragraph: str) -> str:
    if paragraph.startswith(".. "):
        return textwrap.indent(paragraph, MARGIN)
    whole = re.sub(r"\(batch[^()]*\)", lambda shape: shape[0].replace(" ", HELD), " ".join(paragraph.split()))
    wrapped = textwrap.fill(whole, WIDTH, initial_indent=MARGIN, subsequent_indent=MARGIN, break_on_hyphens=False)
    return wrapped.replace(HELD, " ")


def _plain(text: str) -> str:
    return text.replace(r"\*", "*")
