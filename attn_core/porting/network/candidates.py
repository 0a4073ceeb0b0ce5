"""What may be the result of a network, in a graph that may hold a whole training."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import IntEnum

from attn_core.porting.graph.graph import Graph, Node, Ref, integers
from attn_core.porting.graph.reads import SAME, is_weight, last, stored
from attn_core.porting.graph.types import is_float
from attn_core.porting.network.verdicts import numbers_behind
from attn_core.porting.network.without_training import is_of_training, made_of_the_image

_LOSSES = ("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits")
_CLASSES = ("ArgMax", "InTopK", "InTopKV2", "TopK", "TopKV2")


class Reason(IntEnum):
    """Why an output may be the result, the better the later."""

    AN_END = 0
    NAMED = 1
    JUDGED = 2  # read where classes are chosen
    OF_A_LOSS = 3  # logits, whatever the program does with them later
    SIGNED = 4  # named by a SavedModel's signature


def candidates(
    graph: Graph, image: Ref, named_ends: Collection[Ref], signed: Collection[Ref]
) -> Iterator[tuple[Ref, Reason]]:
    """Yield what may be the result, the better reasons later."""
    alone = made_of_the_image(graph, image)
    found = {
        Reason.AN_END: _ends(graph, alone),
        Reason.NAMED: named_ends,
        Reason.JUDGED: _read_by(graph, _CLASSES),
        Reason.OF_A_LOSS: _read_by(graph, _LOSSES),
        Reason.SIGNED: signed,
    }
    for reason, refs in found.items():
        for ref in refs:
            if ref.node not in alone:
                continue
            behind = _numbers(graph, ref, alone)
            if is_float(graph, behind):
                yield behind, reason


def _numbers(graph: Graph, ref: Ref, alone: Collection[str]) -> Ref:
    """Return the numbers that a verdict is made of, or the output itself."""
    node = graph.nodes[ref.node]
    numbers = numbers_behind(graph, node, alone)
    return ref if numbers.node == ref.node else numbers


def _ends(graph: Graph, alone: Collection[str]) -> Iterator[Ref]:
    """Yield what nothing reads on the way from the image; of a loss, the last layers before it."""
    losses = []
    for name in alone:
        readers = graph.consumers.get(name, ())
        if any(reader.name in alone for reader in readers):
            continue
        if _goes_over_batch(graph, graph.nodes[name]):
            losses.append(name)
        else:
            yield Ref(name)
    yield from _before_losses(graph, alone, losses)


def _before_losses(graph: Graph, alone: Collection[str], losses: Collection[str]) -> Iterator[Ref]:
    """Yield the last layers before losses that need no labels."""
    seen: set[str] = set()
    waiting = list(losses)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in alone:
            continue
        seen.add(name)
        inputs = graph.nodes[name].inputs
        data = {ref.node for ref in inputs if ref.node in alone}
        others = [ref for ref in inputs if ref.node not in alone]
        # What reads a variable, or joins two branches, is part of the network; what follows is part of the loss.
        if len(data) > 1 or any(_is_weight(graph, ref) for ref in others):
            yield Ref(name)
        else:
            waiting.extend(data)


def _is_weight(graph: Graph, ref: Ref) -> bool:
    found = stored(graph, ref)
    # A single number is a setting, such as the rate of a decay.
    if found is None or found.shape == ():
        return False
    return all(map(is_weight, found.parts))


def _read_by(graph: Graph, ops: Collection[str]) -> Iterator[Ref]:
    """Yield what nodes of these kinds read first: scores, before they were laid out as a matrix."""
    for node in graph.nodes.values():
        if node.op not in ops or not node.inputs:
            continue
        if not is_of_training(node.name):
            yield last(graph, node.inputs[0], SAME | {"Reshape"})


def _goes_over_batch(graph: Graph, node: Node) -> bool:
    """Whether a node is a mean or sum over the batch."""
    if node.op not in ("Mean", "Sum") or len(node.inputs) != 2:
        return False
    axes = integers(graph, node.inputs[1])
    return axes is not None and 0 in axes


def given_names(graph: Graph, alias: Mapping[Ref, Ref]) -> set[Ref]:
    """Return what identities at the end of a graph stand for: outputs that the author named."""
    found = set()
    for node in graph.nodes.values():
        if node.op != "Identity" or node.name in graph.consumers or is_of_training(node.name):
            continue
        end = Ref(node.name)
        if end in alias:
            found.add(alias[end])
    return found
