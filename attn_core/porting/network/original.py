"""Running the original graph in TensorFlow, in a process of its own: the strictest witness where it is installed.

The two processes share a folder: the graph, what is fed into it in every run, and a folder for each run with what is
asked and, afterwards, the answer.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from tensorboard.compat.proto import graph_pb2

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.order import ancestors
from attn_core.porting.network import in_tensorflow
from attn_core.porting.network.in_tensorflow import Asked, Witness
from attn_core.porting.network.inference import Inference
from attn_core.porting.network.source import Source
from attn_core.porting.network.truth import Truth

_HINTS = ("_output_shapes", "_class")  # stale in training graphs, where TensorFlow 2 trips over them
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


class OriginalError(RuntimeError):
    """TensorFlow could not run the graph; the message is its own last line."""


def installed() -> bool:
    """Whether TensorFlow is there."""
    return importlib.util.find_spec("tensorflow") is not None


def witnesses(inference: Inference, source: Source, truths: Sequence[Truth]) -> list[Witness]:
    """Run the graph on the images of the truths. **Raises** `OriginalError`."""
    with tempfile.TemporaryDirectory(prefix="attn.") as name:
        folder = Path(name)
        graph, feeds = folder / "graph.pb", folder / "feeds.npz"
        graph.write_bytes(serialised(inference))
        values = inference.feeds(source, [inference.output])
        np.savez(feeds, **{tensor_name(ref): value for ref, value in values.items()})  # type: ignore[arg-type]
        runs = [_asked(folder / f"run_{k}", truth) for k, truth in enumerate(truths)]
        _run(graph, feeds, tensor_name(inference.image), tensor_name(inference.output), *runs)
        return [Witness.read(run) for run in runs]


def tensor_name(ref: Ref) -> str:
    """Return what TensorFlow calls an output."""
    return f"{ref.node}:{ref.output}"


def _asked(run: Path, truth: Truth) -> Path:
    """Make a run's folder."""
    run.mkdir()
    Asked(truth.image, truth.cotangent).write(run)
    return run


def _run(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", in_tensorflow.__name__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | _QUIET, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it ended without a word"]
        raise OriginalError(lines[-1])


def serialised(inference: Inference) -> bytes:
    """Write the part of the graph that the result needs; a stated size of the image is left open."""
    graph = inference.original
    definition = graph_pb2.GraphDef()
    definition.versions.producer = 27  # before which no op of TensorFlow 1 was taken away
    needed = ancestors(graph, [inference.output.node])
    for name, node in graph.nodes.items():
        if name not in needed:
            continue
        written = definition.node.add(name=name, op=node.op)
        _fill(written, node, needed)
        if name == inference.image.node:
            written.attr.pop("shape", None)
    return bytes(definition.SerializeToString())


def _fill(written: graph_pb2.NodeDef, node: Node, needed: Collection[str]) -> None:
    """Write what a node reads and its attributes."""
    # The first output goes by the node's name alone.
    written.input.extend(tensor_name(ref) if ref.output else ref.node for ref in node.inputs)
    # Controls outside of what is needed belong to the training: updates of moving averages, for instance.
    written.input.extend(f"^{control}" for control in node.controls if control in needed)
    for key, value in node.attributes.items():
        if key not in _HINTS:
            written.attr[key].CopyFrom(value)
