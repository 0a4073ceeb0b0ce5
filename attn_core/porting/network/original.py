"""Running the original graph in TensorFlow, in a process of its own: the strictest witness where it is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto import graph_pb2

from attn_core.porting.graph.graph import Graph, Ref
from attn_core.porting.graph.order import ancestors
from attn_core.porting.network.network import Part
from attn_core.porting.network.source import Source
from attn_core.porting.network.steps.steps import Array
from attn_core.porting.network.truth import Truth

_HINTS = ("_output_shapes", "_class")  # stale in training graphs, where TensorFlow 2 trips over them
GRAPH, ASKED, ANSWER = "graph.pb", "asked.npz", "answer.npz"


@dataclass(frozen=True)
class Witness:
    """What TensorFlow computes for one image, in the graph's own layout and precision."""

    output: Array
    gradient: Array


class OriginalError(RuntimeError):
    """TensorFlow could not run the graph; the message is its own last line."""


def installed() -> bool:
    """Whether TensorFlow is there."""
    return importlib.util.find_spec("tensorflow") is not None


def witnesses(part: Part, source: Source, truths: Sequence[Truth]) -> list[Witness]:
    """Run the graph on the images of the truths. **Raises** `OriginalError`."""
    with tempfile.TemporaryDirectory(prefix="attn.") as folder:
        Path(folder, GRAPH).write_bytes(_serialised(part.original, part))
        asked = {f"feed {ref.node}:{ref.output}": value for ref, value in part.feeds(source, [part.output]).items()}
        for k, truth in enumerate(truths):
            asked |= {f"image {k}": truth.image, f"cotangent {k}": truth.cotangent}
        np.savez(Path(folder, ASKED), **asked)  # type: ignore[arg-type]
        command = [sys.executable, "-m", __name__, folder, _text(part.image), _text(part.output)]
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **quiet}, check=False)
        if done.returncode:
            raise OriginalError((done.stderr.strip().splitlines() or ["it ended without a word"])[-1])
        with np.load(Path(folder, ANSWER)) as answer:
            return [Witness(answer[f"output {k}"], answer[f"gradient {k}"]) for k in range(len(truths))]


def _text(ref: Ref) -> str:
    return f"{ref.node}:{ref.output}"


def _serialised(graph: Graph, part: Part) -> bytes:
    """Write the part of the graph that the result needs; a stated size of the image is left open."""
    definition = graph_pb2.GraphDef()
    definition.versions.producer = 27  # before which no op of TensorFlow 1 was taken away
    needed = ancestors(graph, [part.output.node])
    for name in graph.nodes:
        if name not in needed:
            continue
        node = graph.nodes[name]
        found = definition.node.add(name=name, op=node.op)
        found.input.extend(_text(ref) if ref.output else ref.node for ref in node.inputs)
        found.input.extend(f"^{control}" for control in node.controls if control in needed)
        for key, value in node.attributes.items():
            if key not in _HINTS and not (name == part.image.node and key == "shape"):
                found.attr[key].CopyFrom(value)
    return bytes(definition.SerializeToString())


def _answer(folder: str, image: str, output: str) -> None:
    import tensorflow as tf

    v1: Any = tf.compat.v1
    v1.disable_eager_execution()
    definition = v1.GraphDef.FromString(Path(folder, GRAPH).read_bytes())
    with np.load(Path(folder, ASKED)) as asked, tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        x, y = (graph.get_tensor_by_name(name) for name in (image, output))
        pull = v1.placeholder(y.dtype, name="attn_cotangent")
        (gradient,) = tf.gradients(y, x, pull)
        feeds = {}
        for key in asked.files:
            kind, _, name = key.partition(" ")
            if kind == "feed":
                feeds.update(_fed(graph, name, asked[key]))
        found = {}
        with v1.Session(graph=graph) as session:
            for k in range(sum(key.startswith("image ") for key in asked.files)):
                given = {**feeds, x: asked[f"image {k}"], pull: asked[f"cotangent {k}"]}
                found[f"output {k}"], found[f"gradient {k}"] = session.run([y, gradient], given)
    np.savez(Path(folder, ANSWER), **found)


def _fed(graph: Any, name: str, value: Array) -> dict[Any, Array]:
    """Return what to feed for a variable: itself, or, of a resource, everything that reads it."""
    tensor = graph.get_tensor_by_name(name)
    if tensor.dtype.name != "resource":
        return {tensor: value}
    return {reader.outputs[0]: value for reader in tensor.consumers() if reader.type == "ReadVariableOp"}


if __name__ == "__main__":
    _answer(*sys.argv[1:])
