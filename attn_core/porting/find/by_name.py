"""Finding SE and CBAM blocks by the names and shapes of variables, where no graph shows the structure."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby, pairwise

from attn_core.porting.find.kernels import DensePair
from attn_core.porting.find.named_layers import NamedLayer, named_layers
from attn_core.porting.find.neighbours import UndecidedError, with_planes
from attn_core.porting.find.variables import matrix
from attn_core.porting.graph.order import natural

ASSUMED = "found by names and shapes: relu, sigmoid and the product with the image are assumed, no graph shows them"
_COUNTER = re.compile(r"_?\d+$")
_FIRST = re.compile(r"reduc[a-z]*|squeeze|(?<![a-z])down(?![a-z])")
_SECOND = re.compile(r"expan[a-z]*|excit[a-z]*|(?<![a-z])up(?![a-z])")
_TELLING = re.compile(r"(^|[/_.-])(se|squeeze|excit\w*)([/_.\-\d]|$)", re.IGNORECASE)


def pairs(weights: Mapping[str, tuple[int, ...]]) -> tuple[list[DensePair], list[str], list[str]]:
    """Return the blocks in natural order, sentences on what could not be decided, and the kernels left over."""
    layers = named_layers(weights)
    found, doubts = _in_rows(layers)
    for rule in (_by_role, _by_scope):
        used = {layer.path for pair in [*found, *doubts] for layer in pair}
        found += rule([layer for layer in layers if layer.path not in used and layer.sizes])
    sentences = [_sentence(row, _ROW) for row in doubts]
    blocks = []
    rows = sorted(found, key=lambda pair: natural(pair[0].path))
    dense = [DensePair(first.layer, second.layer, notes=(ASSUMED,)) for first, second in rows]
    for (first, second), pair in zip(rows, dense, strict=True):
        objection = _objection(first, second, weights)
        try:
            block = with_planes(pair, dense, layers, weights)
        except UndecidedError as reason:
            sentences.append(_sentence((first, second), objection or str(reason)))
            continue
        # With a convolution of two planes beside them and nothing else, they are no bottleneck.
        if block is pair and objection:
            sentences.append(_sentence((first, second), objection))
        else:
            blocks.append(block)
    used = {layer.path for pair in [*found, *doubts] for layer in pair}
    taken = {layer.kernel.name for layer in layers if layer.path in used}
    taken |= {block.planes.kernel.name for block in blocks if block.planes}
    rest = [name for name, shape in weights.items() if matrix(shape) and name not in taken]
    return blocks, sentences, sorted(rest, key=natural)


_Pair = tuple[NamedLayer, NamedLayer]
_ROW = "these kernels stand in a row and could be paired in more than one way"


def _in_rows(layers: Iterable[NamedLayer]) -> tuple[list[_Pair], list[tuple[NamedLayer, ...]]]:
    """Pair neighbours among layers that are numbered in one scope (fc1, fc2; dense, dense_1, ...)."""
    found: list[_Pair] = []
    doubts: list[tuple[NamedLayer, ...]] = []
    key = _numbered
    for _, group in groupby(sorted(layers, key=key), key):  # sorting keeps the natural order inside a group
        row: list[NamedLayer] = []
        for first, second in pairwise([*group, None]):
            row = row or ([first] if first else [])
            if first and second and _mirrored(first, second):
                row.append(second)
                continue
            if len(row) == 2:
                found.append((row[0], row[1]))
            elif len(row) > 2:
                doubts.append(tuple(row))
            row = []
    return found, doubts


def _numbered(layer: NamedLayer) -> tuple[str, str]:
    return layer.scope, _COUNTER.sub("", layer.path)


def _mirrored(first: NamedLayer, second: NamedLayer) -> bool:
    """Whether the second layer leads back from where the first leads, and does not narrow on the way."""
    return first.sizes is not None and first.sizes[::-1] == second.sizes and first.sizes[1] <= first.sizes[0]


def _by_role(layers: list[NamedLayer]) -> list[_Pair]:
    """Pair layers whose names differ only in their role (reduce and expand, squeeze and excitation, down and up)."""
    found = []
    for _, members in groupby(sorted(layers, key=_role_removed), _role_removed):
        group = list(members)
        firsts = [layer for layer in group if _FIRST.search(layer.path)]
        seconds = [layer for layer in group if _SECOND.search(layer.path)]
        if len(firsts) == len(seconds) == 1 and _mirrored(firsts[0], seconds[0]):
            found.append((firsts[0], seconds[0]))
    return found


def _role_removed(layer: NamedLayer) -> str:
    return _SECOND.sub("", _FIRST.sub("", layer.path))


def _by_scope(layers: list[NamedLayer]) -> list[_Pair]:
    """Pair the two layers that are left in a scope, if their shapes say which comes first."""
    found = []
    for scope, members in groupby(sorted(layers, key=lambda layer: layer.scope), lambda layer: layer.scope):
        group = list(members)
        orders = [order for order in (group, group[::-1]) if len(order) == 2 and _mirrored(order[0], order[1])]
        if scope and len(orders) == 1:
            found.append((orders[0][0], orders[0][1]))
    return found


def _objection(first: NamedLayer, second: NamedLayer, weights: Mapping[str, tuple[int, ...]]) -> str:
    """Return what speaks against a pair, or an empty string."""
    if (first.bias is None) != (second.bias is None):
        return "only one of the two has a bias"
    for layer in (first, second):
        if layer.bias and layer.sizes and layer.bias.shape != (layer.sizes[1],):
            return f"{layer.bias.name} has the shape {list(layer.bias.shape)}, which is no bias of {layer.kernel.name}"
    if len(first.kernel.shape) == 2 or _TELLING.search(first.path) or _alone(first, second, weights):
        return ""
    return "two 1x1 convolutions in a row, which bottlenecks have as well, and neither name nor scope says which it is"


def _alone(first: NamedLayer, second: NamedLayer, weights: Iterable[str]) -> bool:
    """Whether the scope of the pair holds nothing else."""
    own = {stored.name for layer in (first, second) for stored in (layer.kernel, layer.bias) if stored}
    scope = first.scope
    return bool(scope) and scope == second.scope and own == {name for name in weights if name.startswith(f"{scope}/")}


def _sentence(layers: Iterable[NamedLayer], reason: str) -> str:
    shown = " and ".join(f"{layer.kernel.name} {list(layer.kernel.shape)}" for layer in layers)
    return f"{shown}: {reason}; a .meta file beside the checkpoint would show it."
