"""The order of names as people count, and of nodes as data flows; what a node needs, and what needs it."""

import heapq
import re
from collections.abc import Callable, Collection, Iterable, Mapping

from attn_core.porting.graph.graph import Graph

_FEEDBACK = ("NextIteration", "RefNextIteration")
_DIGITS = re.compile(r"([0-9]+)")


def natural(name: str) -> tuple[tuple[str, int, str], ...]:
    """Return a sorting key that puts `conv2d` before `conv2d_2` and that before `conv2d_10`."""
    pieces = [*_DIGITS.split(name), ""]
    numbers = (digits.lstrip("0") for digits in pieces[1::2])  # compared as text: int() refuses very long ones
    return tuple((text, len(number), number) for text, number in zip(pieces[::2], numbers, strict=True))


def places(graph: Graph) -> Mapping[str, int]:
    """Return each node's place in an order in which every node follows its inputs.

    Among nodes that could come next the file's order decides, which is the order in which the network was built: of
    two towers, one comes whole before the other. What a loop feeds back to its start does not count; nodes in any
    other circle share the last place.
    """
    names = list(graph.nodes)
    number = {name: k for k, name in enumerate(names)}
    missing = {name: len({ref.node for ref in node.inputs}) for name, node in graph.nodes.items()}
    for node in graph.nodes.values():
        if node.op in _FEEDBACK:
            for reader in graph.consumers.get(node.name, ()):
                missing[reader.name] -= 1
    ready = [number[name] for name, count in missing.items() if count == 0]
    heapq.heapify(ready)
    place: dict[str, int] = {}
    while ready:
        node = graph.nodes[names[heapq.heappop(ready)]]
        place[node.name] = len(place)
        for reader in graph.consumers.get(node.name, ()) if node.op not in _FEEDBACK else ():
            missing[reader.name] -= 1
            if missing[reader.name] == 0:
                heapq.heappush(ready, number[reader.name])
    return {name: place.get(name, len(names)) for name in names}


def ancestors(graph: Graph, ends: Iterable[str]) -> set[str]:
    """Return the names of the nodes that these need, themselves included."""
    return _reached(ends, lambda name: (ref.node for ref in graph.nodes[name].inputs))


def descendants(graph: Graph, starts: Iterable[str], but: Collection[str] = ()) -> set[str]:
    """Return the names of the nodes that need one of these, themselves included, by ways without such operations."""
    return _reached(starts, lambda name: (node.name for node in graph.consumers.get(name, ()) if node.op not in but))


def _reached(starts: Iterable[str], neighbours: Callable[[str], Iterable[str]]) -> set[str]:
    """Return whatever is reached from these by steps to neighbours, themselves included."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(neighbours(name))
    return found
