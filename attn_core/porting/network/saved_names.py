"""The names under which a program saved its variables, where they differ from those in its graph.

`tf.train.Saver({"other/name": variable})` does that; the node that wrote the file states both.
"""

from __future__ import annotations

from collections.abc import Collection

from attn_core.porting.graph.graph import Graph, Node
from attn_core.porting.graph.reads import stored

_DATA = 3  # inputs of SaveV2 before the arrays: the file, the names, and which slice of a variable each array is


def saved_names(graph: Graph, held: Collection[str]) -> dict[str, str]:
    """Return the name in a file for each variable of the graph; `held` are the file's names.

    A graph may have several savers: the one that wrote this file is that of which all names are in it, and most.
    """
    savers = [_names(graph, node) for node in graph.nodes.values() if node.op == "SaveV2"]
    wrote = [names for names in savers if set(names.values()) <= set(held)]
    found = max(wrote, key=len, default={})
    return {variable: name for variable, name in found.items() if variable != name}


def _names(graph: Graph, node: Node) -> dict[str, str]:
    """Return the names that a saver gives variables; of one in slices, the name is the variable's own."""
    if len(node.inputs) < _DATA:
        return {}
    names, slices = (_texts(graph.nodes[ref.node]) for ref in node.inputs[1:_DATA])
    found = {}
    for ref, name, part in zip(node.inputs[_DATA:], names, slices, strict=False):
        variable = stored(graph, ref)
        if variable is not None and not part:
            found[variable.name] = name
    return found


def _texts(node: Node) -> list[str]:
    """Return the texts of a constant."""
    if node.op != "Const":
        return []
    return [text.decode("utf-8", "replace") for text in node.attributes["value"].tensor.string_val]
