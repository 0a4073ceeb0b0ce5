"""What `attn bench` is asked: blocks and peers from words, and images that fit."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from attn_core.interpreters.shapes import output_shape
from attn_core.models.registry import FITTING, NAMED, named, parse
from attn_core.parity.draws import Shapes
from attn_core.spec import Block, SpecError

# Those whose equations the benches of the backends write out.
USUAL = ("SqueezeExcitation", "ChannelAttention", "CBAM", "ShuffleAttention", "GlobalContext")
LARGE, SMALL = (8, 256, 56, 56), (8, 512, 14, 14)  # of the first and of the last stages of a ResNet-50
PLAIN = "plain"
PACKAGES = ("timm", "torchvision")
CHANNELS = "{channels}"  # what stands for the number of the image's channels in the arguments of a peer
PASSES = FORWARD, BOTH = ("forward", "forward + backward")


@dataclass(frozen=True)
class Peer:
    """Whom to compare with: plain, a package, or a class with its arguments."""

    path: str
    arguments: str = ""

    @property
    def is_class(self) -> bool:
        """Whether it names a layer by itself."""
        return ":" in self.path

    def given(self, channels: int) -> str:
        """Return the arguments for an image of so many channels."""
        return self.arguments.replace(CHANNELS, str(channels))


@dataclass(frozen=True)
class Trial:
    """A block, the shapes of its inputs, the image first, a type of numbers and one of the passes."""

    block: Block
    shapes: Shapes
    dtype: str
    way: str

    @property
    def backward(self) -> bool:
        """Whether gradients are computed."""
        return self.way == BOTH


def peers(text: str) -> list[Peer]:
    """Return the peers of a list with commas, as "plain,timm,layers:MySE({channels}, 16)"; commas in brackets stay.

    **Raises** `SpecError` for what is neither a known word nor a path.
    """
    found = [_peer(word.strip()) for word in _apart(text) if word.strip()]
    return list(dict.fromkeys(found))


def _apart(text: str) -> list[str]:
    """Split a text at the commas that stand in no bracket."""
    words, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth <= 0:
            words.append("")
        else:
            words[-1] += character
    return words


def _peer(word: str) -> Peer:
    path, bracket, rest = word.partition("(")
    if ":" not in path:
        if word not in (PLAIN, *PACKAGES):
            known = ", ".join((PLAIN, *PACKAGES))
            raise SpecError(f"{word!r} is no peer: give {known}, or module:Class, as my_package.layers:MySE(64).")
        return Peer(word)
    if bracket and not rest.endswith(")"):
        raise SpecError(f"{word!r} is no peer: the bracket of its arguments is not closed.")
    return Peer(path, rest[:-1] if bracket else CHANNELS)


def trials(
    texts: Sequence[str], shapes: Sequence[tuple[int, ...]], dtypes: Sequence[str], *, backward: bool
) -> list[Trial]:
    """Return what is timed: each block on each image, in each type, forward and perhaps backward.

    Without shapes, they are `LARGE` and `SMALL`, with the channels of a block that has its own.
    **Raises** `SpecError` or `ShapeError` for a block that there is not, or that cannot take an image.
    """
    found = []
    for text in texts or USUAL:
        for shape in shapes or _usual(text):
            block = configured(text, shape)
            inputs = _inputs(block, shape)
            output_shape(block, *inputs)
            ways = PASSES if backward else (FORWARD,)
            found += [Trial(block, inputs, dtype, way) for dtype in dtypes for way in ways]
    return found


def _usual(text: str) -> list[tuple[int, ...]]:
    """Return the usual shapes, with the channels that the text itself says."""
    block = configured(text, LARGE)
    own = getattr(block, "channels", None)
    if own in (None, LARGE[1]):
        return [LARGE, SMALL]
    return [(batch, own, *space) for batch, _, *space in (LARGE, SMALL)]


def configured(text: str, shape: Sequence[int]) -> Block:
    """Return the block that a text configures for an image: what it leaves out of channels and rank, the image says.

    **Raises** `SpecError`.
    """
    if len(shape) < 3:
        raise SpecError(f"{tuple(shape)} is no image: give batch, channels and pixels, as 8,256,56,56.")
    word, bracket, rest = text.strip().partition("(")
    name = named(word.strip())
    call = name + bracket + rest if bracket else f"{name}()"
    if _has_positional(call):
        return parse(call)
    fields = inspect.signature(NAMED[name]).parameters.values()
    needed = {each.name: 64 for each in fields if each.default is each.empty and each.kind is not each.VAR_KEYWORD}
    image = {"channels": shape[1], "rank": len(shape) - 2}
    return parse(call, **needed | FITTING.get(name, {}) | image)


def _has_positional(call: str) -> bool:
    try:
        tree = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return True  # what `parse` refuses with a sentence
    return not isinstance(tree, ast.Call) or bool(tree.args)


def _inputs(block: Block, image: tuple[int, ...]) -> Shapes:
    """Return the shapes of all inputs: those beside the image are as in the block's example, but for the batch.

    Further images have as many pixels as the first.
    """
    found = [image]
    for other in block.example()[1:]:
        is_image = len(found) < block.images
        found.append((image[0], other[1], *image[2:]) if is_image else (image[0], *other[1:]))
    return tuple(found)
