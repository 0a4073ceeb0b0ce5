"""Where a network ends: its result, and what else its graph computes of the image."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from attn_core.porting.graph.graph import Graph, Ref
from attn_core.porting.graph.order import ancestors, descendants
from attn_core.porting.graph.reads import SAME, is_weight, last
from attn_core.porting.network.boundary import LAYERS, BoundaryError, layers, named
from attn_core.porting.network.candidates import Reason, candidates
from attn_core.porting.network.decoding import before_decoding
from attn_core.porting.network.steps.observed import SIZES
from attn_core.porting.network.without_training import made_of_the_image

# Probabilities of the same logits are one result, in whatever way.
_SCORES = SAME | {"Reshape", "Squeeze", "Softmax", "LogSoftmax", "Sigmoid"}


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
        return _asked(graph, asked)
    signed = set(signature.values())
    reasons = dict(candidates(graph, image, named_ends, signed))
    outputs = _Outputs.of(graph, reasons)
    best = _best(outputs)
    by_name = outputs.signed
    result = _logits(graph, max(best, key=outputs.merit), by_name)
    rest = _rest(outputs, result, best)
    heads = [_logits(graph, ref, by_name) for ref in rest.heads]
    every = [result, *heads]
    if not by_name:  # a signature says itself what it wants
        every += _before_decoding(graph, image, every)
    together = _by_name(every, signature) if len(every) > 1 else {}
    return End(result, rest.others, rest.aside, together, bool(by_name))


def _asked(graph: Graph, asked: Mapping[str, str]) -> End:
    """Return what a user wants."""
    wanted = {text: named(graph, name) for text, name in asked.items()}
    first, *others = wanted.values()
    return End(first, heads=wanted if others else {}, given=True)


# ---- which is the result ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Outputs:
    """What may be the result: why, and which nodes each needs."""

    graph: Graph
    reasons: Mapping[Ref, Reason]
    needed: Mapping[Ref, Collection[str]]
    depths: Mapping[Ref, int]  # how many layers each needs

    @classmethod
    def of(cls, graph: Graph, reasons: Mapping[Ref, Reason]) -> _Outputs:
        """Look at what each needs."""
        needed = {ref: ancestors(graph, [ref.node]) for ref in reasons}
        depths = {ref: layers(graph, names) for ref, names in needed.items()}
        return cls(graph, reasons, needed, depths)

    @property
    def signed(self) -> list[Ref]:
        """What a signature names."""
        return [ref for ref, reason in self.reasons.items() if reason == Reason.SIGNED]

    def merit(self, ref: Ref) -> tuple[Reason, int, int, Ref]:
        """Return what the best has most of; the name decides last, for candidates come in any order."""
        return self.reasons[ref], self.depths[ref], len(self.needed[ref]), ref

    def weights(self, ref: Ref) -> set[str]:
        """Return the variables that an output needs, or what became of them in a frozen graph."""
        return {name for name in self.needed[ref] if is_weight(self.graph.nodes[name])}

    def layers(self, ref: Ref) -> set[str]:
        """Return the layers that an output needs."""
        return {name for name in self.needed[ref] if self.graph.nodes[name].op in LAYERS}

    def is_made_of(self, ref: Ref, other: Ref) -> bool:
        """Whether an output needs the other."""
        return other.node in self.needed[ref]


def _best(outputs: _Outputs) -> list[Ref]:
    """Return what may be the result. **Raises** `BoundaryError` if nothing needs a layer."""
    most = max(outputs.depths.values(), default=0)
    if not most:
        raise BoundaryError(f"{outputs.graph.path} does not show the network's result: name it with --output NODE.")
    # What a signature names is the result wherever it stands; of the others, what comes last.
    return outputs.signed or [ref for ref, depth in outputs.depths.items() if depth == most]


# ---- what else there is ----------------------------------------------------------------------------------------------


class _Rest(NamedTuple):
    """What else is computed of the image, in the words of `End`."""

    others: tuple[Ref, ...]
    aside: tuple[Ref, ...]
    heads: list[Ref]


def _rest(outputs: _Outputs, result: Ref, best: Collection[Ref]) -> _Rest:
    """Tell further results from those that would do as well."""
    every: Iterable[Ref] = outputs.signed or outputs.reasons
    apart = sorted(ref for ref in every if not _is_one_head(outputs, ref, result))
    own = outputs.weights(result)
    heads = [ref for ref in apart if not outputs.weights(ref) <= own]
    others = [ref for ref in apart if ref in best and ref not in heads]
    why = outputs.reasons
    alike = [ref for ref in apart if why[ref] == why[result]]
    of_a_loss = why[result] == Reason.OF_A_LOSS
    aside = [ref for ref in heads if of_a_loss and ref in alike]
    # The boxes and the scores that a detector makes of one layer; another tower has layers of its own.
    beside = [ref for ref in others if ref in alike and _is_beside(outputs, ref, result)]
    towers = [ref for ref in others if ref not in beside]
    further = {*heads, *beside}.difference(aside)
    return _Rest(tuple(towers), tuple(aside), _ends_of(outputs, further))


def _is_one_head(outputs: _Outputs, ref: Ref, result: Ref) -> bool:
    """Whether one output is made of the other: logits and probabilities are one head."""
    return outputs.is_made_of(result, ref) or outputs.is_made_of(ref, result)


def _is_beside(outputs: _Outputs, ref: Ref, result: Ref) -> bool:
    """Whether one output needs no other layers than the other, and is made of other numbers that they give."""
    if not outputs.layers(ref) <= outputs.layers(result):
        return False
    graph = outputs.graph
    return last(graph, ref, _SCORES) != last(graph, result, _SCORES)


def _ends_of(outputs: _Outputs, heads: Collection[Ref]) -> list[Ref]:
    """Return the heads of which no other is made."""
    inner = {ref for ref in heads for other in heads if other != ref and outputs.is_made_of(other, ref)}
    return sorted(ref for ref in heads if ref not in inner)


def _before_decoding(graph: Graph, image: Ref, heads: Iterable[Ref]) -> list[Ref]:
    """Return what the heads of a detector were decoded from."""
    alone = made_of_the_image(graph, image) & descendants(graph, [image.node], but=SIZES)
    found = [before_decoding(graph, head, alone) for head in heads]
    return [raw for raw in found if raw is not None]


def _by_name(heads: Iterable[Ref], signature: Mapping[str, Ref]) -> dict[str, Ref]:
    """Return heads by the keys of the signature, or else by their nodes' names."""
    keys = {ref: key for key, ref in signature.items()}
    return {keys.get(ref, ref.node): ref for ref in sorted(heads)}


def _logits(graph: Graph, result: Ref, signed: Collection[Ref]) -> Ref:
    """Return the logits behind probabilities, if a signature names both."""
    node = graph.nodes[result.node]
    if node.op not in ("Softmax", "Sigmoid"):
        return result
    read = node.inputs[0]
    logits = last(graph, read, SAME | {"Reshape"})
    return next((ref for ref in (read, logits) if ref in signed), result)
