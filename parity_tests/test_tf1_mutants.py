"""No mutant is ported silently wrong: it is equal to what judges it, or the port ends with a sentence.

Of the porter's own steps, one is dropped, marked dead, or reads something else; the recording of the network judges
what passes the proof. Of a graph's file, one node is changed; TensorFlow judges what passes.
"""

from __future__ import annotations

import functools
import importlib
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf1_mutants as mutants
from runtimes import GOLDEN, in_keras, need

from attn_core.porting import recorded, whole_network
from attn_core.porting.graph.graph import Graph, Ref, read_graph
from attn_core.porting.graph.order import ancestors, descendants
from attn_core.porting.graph.reads import is_weight
from attn_core.porting.network import original
from attn_core.porting.network.heads import in_canonical_order
from attn_core.porting.network.inference import Options
from attn_core.porting.port import Port
from attn_core.porting.proof import prove
from attn_core.porting.recording_checks import against_recording
from attn_core.porting.write.targets import RUNNERS

# Graphs beside their checkpoints, small enough to be read a thousand times.
GRAPHS = {
    "se_block": "tf1/se_block/model.ckpt",
    "res_block2_net": "tf1/res_block2_net/model.ckpt-200",
    **{name: f"tf1_networks/{name}/model.ckpt" for name in ("activations", "inception", "se_resnet", "separable")},
    **{
        name: f"tf1_cases/{name}/model.ckpt"
        for name in (
            "cond_nested_zero_debias",
            "hand_group_norm",
            "hand_minibatch_shape_misc",
            "se_resnet_1d",
            "tf_unet",
        )
    },
}
FEW, MANY = 3, 91  # mutants of each kind for each graph: 66 and 2,002 in all
SEEDS = [
    pytest.param(range(FEW), id="few"),
    pytest.param(range(FEW, MANY), id="many", marks=pytest.mark.full("test_tf1_mutants[few]")),
]


@functools.cache
def whole(graph: str) -> Port:
    """Read a network as it is."""
    return whole_network.read(GOLDEN / GRAPHS[graph], "torch", Options())


def written(port: Port, out: Path, seed: int) -> Path:
    """Write a network's files and prove it; `port.checks` are there afterwards."""
    folder = out / str(seed)
    whole_network.write(port, folder, lambda inside: prove(port, inside, tensorflow=False))
    return folder


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("graph", [graph for graph in GRAPHS if graph != "se_block"])  # which is a single step
def test_mutants_of_steps(graph: str, seeds: range, tmp_path: Path) -> None:
    """A porter that dropped or exchanged something is found out by its own proof."""
    need("torch")
    base, runner = whole(graph), importlib.import_module(RUNNERS["torch"])
    arrays = recorded.arrays((GOLDEN / GRAPHS[graph]).with_name("io.npz"))
    found: Counter[str] = Counter()
    for seed in seeds:
        said, network = mutants.of_steps(base.network, np.random.default_rng([seed, len(graph)]))
        try:
            port = whole_network.written_as(base.path, "torch", network, base.truths)
            folder = written(port, tmp_path, seed)
        except Exception:  # of whatever kind: the porter works on what it cannot have made
            found["stopped"] += 1
            continue
        if not port.passed:
            found["told"] += 1
            continue
        found["equal"] += 1
        checks = list(against_recording(port, runner, folder, arrays))
        assert checks, said
        assert all(check.passed for check in checks), said
    print(f"{graph}: {dict(found)}")


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("graph", GRAPHS)
def test_mutants_of_files(graph: str, seeds: range, tmp_path: Path) -> None:
    """A changed graph is what TensorFlow makes of it, or it is refused, or the note says what was left."""
    need("torch")
    need("keras-tensorflow")
    base, found, wrong = whole(graph), Counter[str](), []
    asked, answers = [], []
    for seed in seeds:
        rng = np.random.default_rng([seed, len(graph), 1])
        path = GOLDEN / GRAPHS[graph]
        said, content = mutants.of_file(Path(f"{path}.meta"), base.network.inference.graph.nodes, rng)
        copy = _beside(path, tmp_path / f"file_{seed}", content)
        try:
            port = whole_network.read(copy, "torch", Options())
            folder = written(port, tmp_path, seed)
        except (ValueError, OSError):  # what the command turns into a sentence
            found["refused"] += 1
            continue
        if not port.passed:
            found["told"] += 1
            continue
        found["passed"] += 1
        if not accounted(base, port, copy):
            wrong.append(f"{seed}, {said}: weights were left out")
        asked.append(_question(port))
        answers.append((said, port, _answer(port, folder)))
    judged = in_keras("tensorflow", "tf1_mutants", "in_tensorflow", asked) if asked else []
    for (said, port, ours), theirs in zip(answers, judged, strict=True):
        if isinstance(theirs, str):  # what TensorFlow does not run has no result to differ from
            found["not in TensorFlow"] += 1
            continue
        if port.network.heads:
            theirs = in_canonical_order(theirs, port.truths[0].heads, port.network.heads)
        error = np.abs(ours - theirs).max() / max(1.0, np.abs(theirs).max())
        if not error < port.witnessed:
            wrong.append(f"{said}: off by {error}")
    print(f"{graph}: {dict(found)}")
    assert not wrong, wrong


def _beside(path: Path, folder: Path, meta: bytes) -> Path:
    """Put a changed graph beside a copy of the checkpoint."""
    folder.mkdir()
    for file in path.parent.glob(f"{path.name}.*"):
        if file.suffix != ".meta":
            shutil.copyfile(file, folder / file.name)
    (folder / f"{path.name}.meta").write_bytes(meta)
    return folder / path.name


def accounted(base: Port, port: Port, copy: Path) -> bool:
    """Say whether another result than before leaves no weights out without a word, if the image still reaches both."""
    before, after = base.network.inference, port.network.inference
    if before.output == after.output and list(before.heads) == list(after.heads):
        return True
    graph = read_graph(copy.with_name(f"{copy.name}.meta"))
    whole, taken = (_weights(graph, inference.heads or {"": inference.output}) for inference in (before, after))
    told = any("other results" in note or "left out" in note for note in port.notes)
    return told or whole <= taken or before.output.node not in descendants(graph, [after.image.node])


def _weights(graph: Graph, ends: Mapping[str, Ref]) -> set[str]:
    """Return the variables that results need in a graph."""
    names = [ref.node for ref in ends.values() if ref.node in graph.nodes]
    return {name for name in ancestors(graph, names) if is_weight(graph.nodes[name])}


def _question(port: Port) -> tuple[bytes, str, str, dict[str, Any], Any]:
    """Return what TensorFlow is asked of a graph: the file's own nodes, an image, the variables."""
    inference, truth = port.network.inference, port.truths[0]
    ends = (original.tensor_name(ref) for ref in (inference.image, inference.output))
    values = {
        original.tensor_name(ref): value
        for ref, value in inference.feeds(port.network.source, [inference.output]).items()
    }
    return original.serialised(inference), *ends, values, truth.image.astype(np.float32)


def _answer(port: Port, folder: Path) -> Any:
    """Return what the source makes of that image, in the graph's layout."""
    truth = port.truths[0]
    image = truth.image.transpose(port.network.image_axes.places)
    runner = importlib.import_module(RUNNERS["torch"])
    (ran,) = runner.run(str(folder / "model.py"), [image], [None], port.network.rank)
    return ran.single if port.network.heads else ran.single.transpose(port.network.result.axes)
