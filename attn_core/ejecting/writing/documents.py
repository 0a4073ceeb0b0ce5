"""What a class says of itself: sentence, formula, paper, shapes, and how its weights begin."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attn_core.ejecting.tracing.symbols import Symbol, Trace
from attn_core.ejecting.writing.holes import HOLE, hole
from attn_core.ejecting.writing.laws import law_of
from attn_core.interpreters.formula import formula
from attn_core.interpreters.shapes import Shape, ShapeError, output_shape
from attn_core.spec import Block, Part, parts

WIDTH = 92  # letters of a line within a docstring of a class
SPACE = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
MOST_STRIDE = 64
TIED = "\x04"  # a space at which no line ends
MOST_NORMS = 4  # arrays of norms that are named one by one
NORMS = (parts.BatchNorm, parts.GroupNorm, parts.LayerNorm)
USUAL_LAW = {"weight": parts.ONE, "bias": parts.ZERO}
# Of a formula that says what it is without a page beside it.
FUNCTIONS = frozenset((
    "mean", "max", "relu", "silu", "gelu", "hard_swish", "leaky_relu", "sigmoid", "hard_sigmoid", "concat",
    "channel_mean", "channel_max",
))  # fmt: skip

Leaf = Callable[[Part, str], str]


def document(trace: Trace, channels_last: bool, leaf: Leaf) -> list[str]:
    """Return the lines of a class's docstring; `leaf` says what a framework calls an array of a part."""
    block = trace.block
    found = [*folded(summary(block)), ""]
    found += [f"    {line}" for line in stated(block, exact=leaf(parts.Dense(1, 1), "weight") == "weight")]
    found += [""] * (found[-1] != "")
    found += [*_shapes(trace, channels_last), *_fresh(trace, leaf)]
    return found


def summary(block: Block) -> str:
    """Return the first sentence of a block's docstring."""
    first = (type(block).__doc__ or "").strip().split("\n\n")[0]
    text = " ".join(first.replace("`", "").split())
    return text if not text.startswith(f"{type(block).__name__}(") else "A block."


def stated(block: Block, exact: bool = True) -> list[str]:
    """Return the formula: that of the configuration where it fits a line, else the one of the definition."""
    is_one = not any(isinstance(part, Block) for part in block.parts().values())
    lines = formula(block).splitlines() if is_one and exact else []
    plain = {*FUNCTIONS, *block.parts()}
    if len(lines) == 1 and len(lines[0]) <= WIDTH - 4 and set(re.findall(r"\w+(?=\()", lines[0])) <= plain:
        return lines
    short = re.search(r"\*\*In short\*\*:(.*?)\n\s*\n", type(block).__doc__ or "", re.DOTALL)
    text = " ".join(short[1].split()) if short else ""
    return folded(text if text.startswith("y") else f"y = {text}", WIDTH - 4) if text else []


def folded(text: str, width: int = WIDTH) -> list[str]:
    """Break a sentence into lines."""
    lines = textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False)
    return [line.replace(TIED, " ") for line in lines]


def docstring(lines: Sequence[str]) -> list[str]:
    """Return lines as the docstring of a class or function."""
    safe = [line.replace("\\", "\\\\").replace('"""', "'''") for line in lines]
    while safe and not safe[-1]:
        safe.pop()
    if len(safe) == 1:
        return [f'    """{safe[0]}"""']
    return [f'    """{safe[0]}', *(f"    {line}" if line else "" for line in safe[1:]), '    """']


# ---- shapes ----------------------------------------------------------------------------------------------------------


def _shapes(trace: Trace, channels_last: bool) -> list[str]:
    given = {name: _named(symbol, trace, channels_last) for name, symbol in trace.inputs.items()}
    first, *others = (f"{name} {shape}" for name, shape in given.items())
    output = _output(trace, channels_last)
    same = [name for name, shape in given.items() if _bare(shape) == _bare(output)]
    if same:
        output = "the same shape" if len(given) == 1 else f"the shape of {same[0]}"
    taken = " and ".join([first, *others])
    return folded(f"Shape: {taken} to {output}.")


def _bare(shape: str) -> str:
    return HOLE.sub(lambda found: found[2], shape)


def _named(symbol: Symbol, trace: Trace, channels_last: bool) -> str:
    if not symbol.is_image:
        return f"(batch, {', '.join(map(str, symbol.shape[1:]))})"
    sizes = list(map(str, symbol.shape[2:])) if trace.is_fixed else list(_axes(symbol))
    return _ordered(symbol.shape[1], sizes, channels_last)


def _axes(image: Symbol) -> tuple[str, ...]:
    return SPACE[len(image.shape) - 2]


def _ordered(channels: object, sizes: Sequence[str], channels_last: bool) -> str:
    own = hole("channels", channels)
    axes = [*sizes, own] if channels_last else [own, *sizes]
    return f"(batch, {', '.join(axes)})"


def _output(trace: Trace, channels_last: bool) -> str:
    output, image = trace.output, next(iter(trace.inputs.values()))
    if not output.is_image:
        return f"(batch, {', '.join(hole('outputs', n) for n in output.shape[1:])})"
    if len(output.shape) != len(image.shape):
        return _ordered(output.shape[1], ["..."], channels_last)
    if trace.is_fixed:
        return _ordered(output.shape[1], list(map(str, output.shape[2:])), channels_last)
    larger = _on_larger(trace)
    sizes = [_size(*each) for each in zip(_axes(image), image.shape[2:], output.shape[2:], larger[2:], strict=True)]
    return _ordered(output.shape[1], sizes, channels_last)


def _on_larger(trace: Trace) -> Shape:
    """Return the output's shape for images that are 7 pixels longer."""
    shapes = [
        (*each.shape[:2], *(n + 7 for n in each.shape[2:] if n)) if each.is_image else each.shape
        for each in trace.inputs.values()
    ]
    try:
        return output_shape(trace.block, *shapes)
    except ShapeError:
        return trace.output.shape


def _size(axis: str, before: Any, after: Any, larger: Any) -> str:
    """Say how long an axis of the output is."""
    if after == before and larger in (before, before + 7):
        return axis if larger != before else str(after) if after != before else axis
    if after == larger:
        return str(after)
    for stride in range(2, MOST_STRIDE):
        if -(-before // stride) == after and -(-(before + 7) // stride) == larger:
            return f"ceil({axis}{TIED}/{TIED}{stride})"
    return f"{axis} - {before - after}" if before - after == before + 7 - larger > 0 else "..."


# ---- fresh weights ---------------------------------------------------------------------------------------------------


def _fresh(trace: Trace, leaf: Leaf) -> list[str]:
    """Say how each array begins, one line for each law; running statistics of norms begin as everywhere."""
    found: dict[str, list[str]] = {}
    norms: dict[str, list[str]] = {}
    for name, part in trace.leaves.items():
        for own, array in part.arrays().items():
            if array.trainable or isinstance(part, parts.Running):
                among = norms if isinstance(part, NORMS) and array.law == USUAL_LAW[own] else found
                among.setdefault(str(law_of(part, array)), []).append(f"{name}.{leaf(part, own)}")
    # Of many norms, whose weights begin as everywhere, no list.
    if sum(map(len, norms.values())) > MOST_NORMS:
        norms = {"1": ["weights of norms"], "0": ["biases of norms"]}
    for law, names in norms.items():
        found[law] = [*found.get(law, []), *names]
    if not found:
        return []
    lines = [line for law, names in found.items() for line in _entry(names, law)]
    return ["", "Fresh weights:", *lines]


def _entry(names: list[str], law: str) -> list[str]:
    text = f"{', '.join(names)}: {law}"
    return textwrap.wrap(
        text, WIDTH, initial_indent="    ", subsequent_indent="        ", break_on_hyphens=False, break_long_words=False
    )


def options(block: Block) -> Mapping[str, Any]:
    """Return the fields that have an effect."""
    return {name: value for name, value in block.config().items() if name not in block.overruled()}
