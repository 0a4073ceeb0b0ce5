"""Where a network ends: its result, in a graph that may hold a whole training."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from attn_core.porting.graph.graph import Graph, Node, Ref, integers
from attn_core.porting.graph.order import ancestors, descendants
from attn_core.porting.graph.reads import SAME, is_weight, last, stored, walk
from attn_core.porting.graph.types import is_float
from attn_core.porting.network.boundary import LAYERS, BoundaryError, layers, named
from attn_core.porting.network.decoding import before_decoding
from attn_core.porting.network.steps.observed import SIZES
from attn_core.porting.network.verdicts import numbers_behind
from attn_core.porting.network.without_training import is_of_training, made_of_the_image

# Probabilities of the same logits are one result, in whatever way.
_SCORES = SAME | {"Reshape", "Squeeze", "Softmax", "LogSoftmax", "Sigmoid"}
_LOSSES = ("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits")
_CLASSES = ("ArgMax", "InTopK", "InTopKV2", "TopK", "TopKV2")


class _Reason(IntEnum):
    """Why an output may be the result, the better the later."""

    AN_END = 0
    NAMED = 1
    JUDGED = 2  # read where classes are chosen
    OF_A_LOSS = 3  # logits, whatever the program does with them later
    SIGNED = 4  # named by a SavedModel's signature


class End(NamedTuple):
    """A network's result, and what else its graph computes of the image.

    Fields:
        others: what would do as well, of the same weights: the result of another tower.
        aside: results that are there for a loss, as the main one is: the auxiliary classifiers of a training.
        heads: where there are several results, each of weights of its own, all of them by name.
        given: whether a user or a signature says that the network ends here, whatever follows.
    """

    result: Ref
    others: tuple[Ref, ...] = ()
    aside: tuple[Ref, ...] = ()
    heads: Mapping[str, Ref] = MappingProxyType({})
    given: bool = False


def find_output(
    graph: Graph,
    image: Ref,
    named_ends: Collection[Ref] = (),
    signature: Mapping[str, Ref] = MappingProxyType({}),
    asked: Mapping[str, str] = MappingProxyType({}),
) -> End:
    """Return the result: of all that is made of the image alone, what needs most layers; and what else there is.

    Of several, what a SavedModel's signature names comes first, then what a loss reads, what classes are chosen by,
    and what the author gave a name of its own (`named_ends`); or else what comes last. What goes over the batch is a
    loss. `asked` are the outputs that a user wants, by what he calls them.

    **Raises** `BoundaryError` if nothing needs a layer, or what is asked for is not in the graph.
    """
    if asked:
        wanted = {text: named(graph, name) for text, name in asked.items()}
        return End(next(iter(wanted.values())), heads=wanted if len(wanted) > 1 else {}, given=True)
    signed = set(signature.values())
    reasons = dict(_candidates(graph, image, named_ends, signed))
    needed = {ref: ancestors(graph, [ref.node]) for ref in reasons}
    most = max((layers(graph, names) for names in needed.values()), default=0)
    if not most:
        raise BoundaryError(f"{graph.path} does not show the network's result: name it with --output NODE.")
    # What a signature names is the result wherever it stands; of the others, what comes last.
    by_name = [ref for ref, reason in reasons.items() if reason == _Reason.SIGNED]
    best = [ref for ref in by_name or reasons if by_name or layers(graph, needed[ref]) == most]
    # The name decides last, for candidates come in any order.
    best.sort(key=lambda ref: (reasons[ref], layers(graph, needed[ref]), len(needed[ref]), ref))
    *_, result = best
    result = _logits(graph, result, by_name)
    apart = sorted(ref for ref in by_name or reasons if not _is_one_head(needed, ref, result))
    own = _weights(graph, needed[result])
    heads = [ref for ref in apart if not _weights(graph, needed[ref]) <= own]
    aside = [ref for ref in heads if reasons[ref] == reasons[result] == _Reason.OF_A_LOSS]
    others = [ref for ref in apart if ref in best and ref not in heads]
    # The boxes and the scores that a detector makes of one layer; another tower has layers of its own.
    beside = [ref for ref in others if reasons[ref] == reasons[result] and _of_layers(graph, needed, ref, result)]
    others = [ref for ref in others if ref not in beside]
    heads += beside
    further = [_logits(graph, ref, by_name) for ref in _ends_of(needed, set(heads) - set(aside))]
    every = [result, *further]
    if not by_name:  # a signature says itself what it wants
        every += _before_decoding(graph, image, every)
    together = _by_name(every, signature) if len(every) > 1 else {}
    return End(result, tuple(others), tuple(aside), together, bool(by_name))


def _before_decoding(graph: Graph, image: Ref, heads: Iterable[Ref]) -> list[Ref]:
    """Return what the heads of a detector were decoded from."""
    alone = made_of_the_image(graph, image) & descendants(graph, [image.node], but=SIZES)
    return [raw for head in heads if (raw := before_decoding(graph, head, alone)) is not None]


def _by_name(heads: Iterable[Ref], signature: Mapping[str, Ref]) -> dict[str, Ref]:
    """Return heads by the keys of the signature, or else by their nodes' names."""
    keys = {ref: key for key, ref in signature.items()}
    return {keys.get(ref, ref.node): ref for ref in sorted(heads)}


def _logits(graph: Graph, result: Ref, signed: Collection[Ref]) -> Ref:
    """Return the logits behind probabilities, if a signature names both."""
    node = graph.nodes[result.node]
    if node.op not in ("Softmax", "Sigmoid"):
        return result
    *_, logits = walk(graph, node.inputs[0], SAME | {"Reshape"})
    return next((ref for ref in (node.inputs[0], logits) if ref in signed), result)


def _is_one_head(needed: Mapping[Ref, Collection[str]], ref: Ref, result: Ref) -> bool:
    """Whether one output is made of the other: logits and probabilities are one head."""
    return ref.node in needed[result] or result.node in needed[ref]


def _of_layers(graph: Graph, needed: Mapping[Ref, Collection[str]], ref: Ref, result: Ref) -> bool:
    """Whether one output needs no other layers than the other, and is made of other numbers that they give."""
    own = {name for name in needed[ref] if graph.nodes[name].op in LAYERS}
    return own <= set(needed[result]) and last(graph, ref, _SCORES) != last(graph, result, _SCORES)


def _ends_of(needed: Mapping[Ref, Collection[str]], heads: Collection[Ref]) -> list[Ref]:
    """Return the heads of which no other is made."""
    return sorted(ref for ref in heads if not any(ref.node in needed[other] for other in heads if other != ref))


def _weights(graph: Graph, names: Collection[str]) -> set[str]:
    """Return the variables among nodes, or what became of them in a frozen graph."""
    return {name for name in names if is_weight(graph.nodes[name])}


def _candidates(
    graph: Graph, image: Ref, named_ends: Collection[Ref], signed: Collection[Ref]
) -> Iterator[tuple[Ref, _Reason]]:
    """Yield what may be the result, the better reasons later."""
    alone = made_of_the_image(graph, image)
    found = [(ref, _Reason.AN_END) for ref in _ends(graph, alone)]
    found += [(ref, _Reason.NAMED) for ref in named_ends]
    found += [(ref, _Reason.JUDGED) for ref in _read_by(graph, _CLASSES)]
    found += [(ref, _Reason.OF_A_LOSS) for ref in _read_by(graph, _LOSSES)]
    found += [(ref, _Reason.SIGNED) for ref in signed]
    for ref, reason in found:
        if ref.node in alone:
            numbers = numbers_behind(graph, graph.nodes[ref.node], alone)
            behind = ref if numbers.node == ref.node else numbers
            if is_float(graph, behind):
                yield behind, reason


def _ends(graph: Graph, alone: Collection[str]) -> Iterator[Ref]:
    """Yield what nothing reads on the way from the image; of a loss, the last layers before it."""
    losses = []
    for name in alone:
        is_read = any(reader.name in alone for reader in graph.consumers.get(name, ()))
        if is_read:
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
        node = graph.nodes[name]
        data = {ref.node for ref in node.inputs if ref.node in alone}
        # What reads a variable, or joins two branches, is part of the network; what follows is part of the loss.
        if len(data) > 1 or any(ref.node not in alone and _is_weight(graph, ref) for ref in node.inputs):
            yield Ref(name)
        else:
            waiting.extend(data)


def _is_weight(graph: Graph, ref: Ref) -> bool:
    found = stored(graph, ref)
    return found is not None and found.shape != () and all(map(is_weight, found.parts))


def _read_by(graph: Graph, ops: Collection[str]) -> Iterator[Ref]:
    """Yield what nodes of these kinds read first: scores, before they were laid out as a matrix."""
    for node in graph.nodes.values():
        if node.op in ops and node.inputs and not is_of_training(node.name):
            *_, scores = walk(graph, node.inputs[0], SAME | {"Reshape"})
            yield scores


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
