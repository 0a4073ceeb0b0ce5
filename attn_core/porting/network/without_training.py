"""What a graph computes of its image alone: no labels, no loss, no step of an optimizer."""

import re
from collections.abc import Collection

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.order import descendants

_QUEUES = {f"QueueDequeue{many}{version}" for many in ("", "Many", "UpTo") for version in ("", "V2")}
_FILES = {"ReadFile", "ReaderRead", "ReaderReadV2", "ReaderReadUpTo", "ReaderReadUpToV2"}
SOURCES = frozenset({"Placeholder", "PlaceholderWithDefault", "IteratorGetNext"} | _QUEUES | _FILES)
_TRAINING = re.compile(r"(^|/)(gradients(_\d+)?|summaries|save(_\d+)?)/|(^|/)(Assign|Apply|Scatter)|Summary")
_UPDATES = ("Assign", "Apply", "ResourceApply", "Scatter")
_SUMMARIES = ("Summary", "SummaryV2")


def is_of_training(name: str) -> bool:
    """Whether TensorFlow itself gave a node this name while it wrote a training down."""
    return _TRAINING.search(name) is not None


def made_of_the_image(graph: Graph, image: Ref) -> set[str]:
    """Return the nodes that need the image and nothing else that is fed, and do not belong to the training."""
    # An iterator's other outputs are labels: what reads the node need not read the image.
    readers = [node.name for node in graph.consumers.get(image.node, ()) if image in node.inputs]
    own = descendants(graph, readers) - _made_of_others(graph, image)
    ends = [name for name in own if is_of_training(name) or _trains(graph.nodes[name])]
    training = descendants(graph, ends)
    updates = {name for name in own - training if _only_read_by(graph, name, training)}
    return own - training - updates


def _made_of_others(graph: Graph, image: Ref) -> set[str]:
    """Return the nodes that need something else that is fed, such as labels; a single number is a setting."""
    sources = [node for node in graph.nodes.values() if node.op in SOURCES and node.op != "PlaceholderWithDefault"]
    others = [node.name for node in sources if node.name != image.node and not is_scalar(node)]
    return descendants(graph, others)


def is_scalar(node: Node) -> bool:
    """Whether a placeholder is for a single number, such as a rate; labels are not."""
    shape = node.attributes["shape"].shape
    return node.op.startswith("Placeholder") and not shape.unknown_rank and not shape.dim


def _trains(node: Node) -> bool:
    return node.op.startswith(_UPDATES) or node.op.endswith(_SUMMARIES)


def _only_read_by(graph: Graph, name: str, training: Collection[str]) -> bool:
    """Whether a value is there for the training alone: what moves an average, for instance."""
    readers = graph.consumers.get(name, ())
    if not readers:
        return False
    return all(node.name in training and _trains(node) for node in readers)
