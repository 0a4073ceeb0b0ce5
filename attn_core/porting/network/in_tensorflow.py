"""The process that runs a graph in TensorFlow: `python -m ... GRAPH FEEDS IMAGE OUTPUT RUN ...`.

It is one of its own, for TensorFlow takes much memory, speaks on its own account, and may fail in ways that no
exception tells. FEEDS holds the variables' values by the names of their tensors; each RUN is a folder.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ASKED, _ANSWER = "asked.npz", "answer.npz"


@dataclass(frozen=True)
class Asked:
    """An image, and the cotangent of the result, in the graph's own layout."""

    image: NDArray[Any]
    cotangent: NDArray[Any]

    def write(self, run: Path) -> None:
        """Put the question into a run's folder."""
        np.savez(run / _ASKED, image=self.image, cotangent=self.cotangent)

    @classmethod
    def read(cls, run: Path) -> Asked:
        """Take it from there."""
        with np.load(run / _ASKED) as file:
            return cls(file["image"], file["cotangent"])


@dataclass(frozen=True)
class Witness:
    """What TensorFlow computes for one image, in the graph's own layout and precision."""

    output: NDArray[Any]
    gradient: NDArray[Any]

    def write(self, run: Path) -> None:
        """Put the answer into a run's folder."""
        np.savez(run / _ANSWER, output=self.output, gradient=self.gradient)

    @classmethod
    def read(cls, run: Path) -> Witness:
        """Take it from there."""
        with np.load(run / _ANSWER) as file:
            return cls(file["output"], file["gradient"])


def main(graph_file: str, feeds_file: str, image: str, output: str, *runs: str) -> None:
    """Answer what is asked in each run's folder."""
    import tensorflow as tf  # here, since the other process takes but the two classes

    v1: Any = tf.compat.v1
    v1.disable_eager_execution()  # `tf.gradients` and sessions are for graphs
    definition = v1.GraphDef.FromString(Path(graph_file).read_bytes())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        x = graph.get_tensor_by_name(image)
        y = graph.get_tensor_by_name(output)
        cotangent = v1.placeholder(y.dtype, name="attn_cotangent")
        (gradient,) = tf.gradients(y, x, cotangent)
        fed = _fed(graph, feeds_file)
        with v1.Session(graph=graph) as session:
            for run in map(Path, runs):
                asked = Asked.read(run)
                given = {**fed, x: asked.image, cotangent: asked.cotangent}
                found = session.run([y, gradient], given)
                Witness(*found).write(run)


def _fed(graph: Any, feeds_file: str) -> dict[Any, NDArray[Any]]:
    """Return what to feed for each variable: itself, or, of a resource, everything that reads it."""
    fed = {}
    with np.load(feeds_file) as feeds:
        for name in feeds.files:
            variable = graph.get_tensor_by_name(name)
            # A resource is no array that could be fed: its readers are fed instead.
            is_resource = variable.dtype.name == "resource"
            value = feeds[name]
            for tensor in _readers(variable) if is_resource else [variable]:
                fed[tensor] = value
    return fed


def _readers(variable: Any) -> list[Any]:
    return [reader.outputs[0] for reader in variable.consumers() if reader.type == "ReadVariableOp"]


if __name__ == "__main__":
    main(*sys.argv[1:])
