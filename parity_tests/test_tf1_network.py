"""Whole networks of TensorFlow 1 as source for every framework, against what TensorFlow recorded."""

from __future__ import annotations

import gc
import json
import re
import subprocess
import sys
import weakref
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from bounds import PORTED, TENSORFLOW_1
from runtimes import GOLDEN, in_keras, need
from tensorboard.compat.proto import graph_pb2
from tiers import sample

from attn_core import parity
from attn_core.porting import recorded, whole_network
from attn_core.porting.find.variables import catalogue
from attn_core.porting.graph.graph import Graph, Node, read_graph
from attn_core.porting.network.inference import Options
from attn_core.porting.network.steps.steps import canonical
from attn_core.porting.port import Port
from attn_core.porting.ported import Found, imported
from attn_core.porting.proof import prove
from attn_core.porting.tf1 import read_checkpoint
from attn_core.porting.write.targets import RUNNERS, WRITERS

OF_ONE_BLOCK = ["tf1/se_block", "tf1/se_block_scoped_stack"]
OF_BLOCKS = ["bias_free", "one_by_one", "partitioned_variables", "resource_variables", "unscoped_stack", "decoys"]
OF_BLOCKS += ["swish_and_hard_gates", "channels_first", "training_graph"]
NETWORKS = ["slim_resnet_v1", "slim_resnet_v2", "separable", "inception", "two_towers", "activations", "se_resnet"]
CASES = [
    "tf1/res_block2_net",
    *OF_ONE_BLOCK,
    *(f"tf1_blocks/{name}" for name in OF_BLOCKS),
    *(f"tf1_networks/{name}" for name in [*NETWORKS, "channels_first"]),
]


def checkpoint(case: str) -> Path:
    """Return the prefix of a case's checkpoint, which its graph lies beside."""
    return GOLDEN / case / ("model.ckpt-200" if case.endswith("res_block2_net") else "model.ckpt")


@cache
def ported(path: Path, target: str, **options: object) -> Port:
    return whole_network.read(path, target, Options(**options), averages=False)


def put(port: Port, folder: Path) -> str:
    """Write source and weights; return the source's path."""
    (folder / "model.py").write_text(port.source)
    safetensors.numpy.save_file(port.arrays, folder / "weights.safetensors")
    return str(folder / "model.py")


def run(name: str, source: str, images: Sequence[np.ndarray], pulls: Sequence[np.ndarray]) -> list[Found]:
    """Run a source in a runtime."""
    images, pulls = ([np.asarray(array, np.float64) for array in arrays] for arrays in (images, pulls))
    if name.startswith("keras-"):
        return in_keras(name.removeprefix("keras-"), RUNNERS["keras"], "run", source, images, pulls)
    return import_module(RUNNERS[name]).run(source, images, pulls)


def pairs(case: str) -> dict[str, np.ndarray]:
    """Return what was recorded of the whole network."""
    arrays = recorded.arrays(GOLDEN / case / "io.npz")
    return {name: arrays[name] for name in arrays if name.startswith(("input", "output", "cotangent", "grad:input"))}


FEW = ["tf1/res_block2_net", "tf1_networks/activations", "tf1_networks/separable", "tf1_networks/two_towers"]
RUNS = [(name, case) for name in ("torch", "nnx", "keras-tensorflow") for case in CASES]
RUNS += [("linen", case) for case in FEW] + [(name, FEW[0]) for name in ("keras-jax", "keras-torch")]


def ordinary(run: tuple[str, str]) -> bool:
    """Say whether a network is run there: all in torch; elsewhere, every kind of step."""
    return run[0] == "torch" or run[1] in FEW


@pytest.mark.parametrize(("name", "case"), sample(RUNS, ordinary, "the same in torch, networks of its steps there"))
def test_network(name: str, case: str, tmp_path: Path):
    """Its outputs and gradients are those of the graph, at two sizes where it takes them, and those recorded."""
    port = ported(checkpoint(case), need(name).partition("-")[0])
    source = put(port, tmp_path)
    layout, result = port.network.image_axes, port.network.result.axes
    io = pairs(case)
    names = [key for key in io if key.startswith("input") and key.replace("input", "output") in io]
    outputs = [io[key.replace("input", "output")] for key in names]
    images = [*(truth.image for truth in port.truths), *(io[key] for key in names)]
    pulls = [*(truth.cotangent for truth in port.truths), *map(np.zeros_like, outputs)]
    if "cotangent" in io:
        pulls[2 + names.index("input")] = io["cotangent"]
    found = run(name, source, [canonical(x, layout) for x in images], [canonical(pull, result) for pull in pulls])
    for truth, each in zip(port.truths, found, strict=False):
        assert parity.error(each.single, canonical(truth.output, result)) < PORTED["float32"]
        assert parity.error(each.output, canonical(truth.output, result)) < PORTED["float64"]
        slope = (each.gradient * canonical(truth.direction, layout)).sum()
        assert abs(slope - truth.slope) < PORTED["float64"] * np.abs(each.gradient).sum()
    for key, output, each in zip(names, outputs, found[2:], strict=True):
        assert parity.error(each.single, canonical(output, result)) < TENSORFLOW_1["output"]
        if key == "input" and "grad:input" in io:
            theirs = canonical(io["grad:input"], layout)
            assert np.abs(each.gradient - theirs).max() < PORTED["float32"] * np.abs(theirs).max()


# ---- the source ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", WRITERS)
def test_source_is_clean(target: str, tmp_path: Path):
    """As formatters and linters want it, in lines of at most 100 characters."""
    for case in CASES:
        (tmp_path / f"{Path(case).name}.py").write_text(ported(checkpoint(case), target).source)
    ruff = [sys.executable, "-m", "ruff"]
    checks = [["format", "--check"], ["check", "--select", "E,F,I,B,UP,N8", "--ignore", "N812,N802"]]
    for command in checks:
        options = ["--isolated", "--line-length", "100", "--target-version", "py311", str(tmp_path)]
        done = subprocess.run([*ruff, *command, *options], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("case", ["tf1/res_block2_net", "tf1_networks/inception", "tf1_networks/se_resnet"])
def test_frozen_graph_and_training_graph_agree(case: str):
    """The same source and weights, but for how fast averages move in training, which a frozen graph does not tell."""
    port, frozen = ported(checkpoint(case), "torch"), ported(GOLDEN / case / "frozen.pb", "torch")
    texts = [re.sub(r"momentum=[\d.]+", "", each.source.split('"""', 2)[2]) for each in (port, frozen)]
    assert texts[0] == texts[1]
    assert {name: array.tobytes() for name, array in port.arrays.items()} == {
        name: array.tobytes() for name, array in frozen.arrays.items()
    }
    told = [sum("how fast averages move" in note for note in each.notes) for each in (port, frozen)]
    assert told == [0, 1]


def test_every_way_to_the_network():
    """The checkpoint's prefix, its .meta, its folder, V1 and SavedModel."""
    net, block = GOLDEN / "tf1" / "res_block2_net", GOLDEN / "tf1" / "se_block"
    ways = [checkpoint("tf1/res_block2_net"), net / "model.ckpt-200.meta", net / "model.ckpt-200.index", net]
    assert len({ported(way, "torch").source.split('"""', 2)[2] for way in ways}) == 1
    others = [GOLDEN / "tf1" / f"se_block_{kind}" for kind in ("v1_format/model.ckpt", "saved_model")]
    others += [GOLDEN / "tf1" / "se_block_saved_model" / "saved_model.pb"]
    wanted = ported(block / "model.ckpt", "torch")
    for way in others:
        assert ported(way, "torch").source.split('"""', 2)[2] == wanted.source.split('"""', 2)[2]
        assert ported(way, "torch").arrays.keys() == wanted.arrays.keys()


def test_the_training_is_forgotten(monkeypatch: pytest.MonkeyPatch):
    """Of the graph that was read, what the result does not need gives its memory back."""
    seen: dict[str, weakref.ref[Node]] = {}

    def noted(path: Path) -> Graph:
        graph = read_graph(path)
        seen.update({name: weakref.ref(node) for name, node in graph.nodes.items()})
        return graph

    monkeypatch.setattr(whole_network, "read_graph", noted)
    port = whole_network.read(checkpoint("tf1_blocks/training_graph"), "torch", Options())
    gc.collect()
    inference = port.network.inference
    there = {name for name, node in seen.items() if node() is not None}
    assert there <= inference.original.nodes.keys()
    assert inference.graph.nodes.keys() <= inference.original.nodes.keys() < seen.keys()
    assert not any(name.startswith(("gradients", "save/")) for name in inference.original.nodes)
    assert any(name.startswith("gradients") for name in seen)


def test_shared_weights(tmp_path: Path):
    """A block that another one shares its variables with is written with a copy of them, and told."""
    graph = graph_pb2.GraphDef.FromString((GOLDEN / "tf1_networks" / "se_resnet" / "frozen.pb").read_bytes())
    for node in graph.node:
        if node.op == "Identity" and node.name.startswith("stage1/block2/"):
            node.input[0] = node.input[0].replace("block2", "block1")
    (tmp_path / "shared.pb").write_bytes(graph.SerializeToString(deterministic=True))
    port = whole_network.read(tmp_path / "shared.pb", "torch", Options())
    note = "14 variables are read in several places, which have a copy each: stage1/block1/first/conv/kernel, ..."
    assert note in port.notes
    places = whole_network.report(port)["variables"]["stage1/block1/first/conv/kernel"]["weights"]
    assert len(places) == 2
    assert np.array_equal(*(port.arrays[name] for name in places))


# ---- what a user of the source does ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_torch_state_and_training(case: str, tmp_path: Path):
    """The file's names are the module's own; one step of SGD moves every parameter, a pass all statistics."""
    torch = pytest.importorskip(need("torch"))
    port = ported(checkpoint(case), "torch")
    network = imported(put(port, tmp_path)).load()
    assert not network.training
    assert network.state_dict().keys() == safetensors.numpy.load_file(tmp_path / "weights.safetensors").keys()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    image = pairs(case).get("input", port.truths[0].image)
    image = torch.tensor(canonical(image, port.network.image_axes), dtype=torch.float32)
    trained = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    network.train()(image)
    network.zero_grad()
    output = network.eval()(image)  # with its averages: a batch's own would take a bias away again
    (output * torch.randn(output.shape, generator=torch.Generator().manual_seed(0))).sum().backward()
    torch.optim.SGD(trained.values(), lr=1.0).step()
    moved = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    statistics = {name for name in before if name.rpartition(".")[2].startswith(("running_", "num_batches"))}
    assert moved == trained.keys() | statistics


def test_torch_tools(tmp_path: Path):
    """Compiled and exported with sizes left open, and saved whole, the network gives the same."""
    torch = pytest.importorskip(need("torch"))
    network = imported(put(ported(checkpoint("tf1/res_block2_net"), "torch"), tmp_path)).load()
    x = torch.randn(2, 3, 37, 29)
    wanted = network(x)
    sizes = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    exported = torch.export.export(network, (torch.randn(3, 3, 32, 24),), dynamic_shapes=(sizes,))
    assert (exported.module()(x) - wanted).abs().max() < 1e-5
    assert (network.to(memory_format=torch.channels_last)(x) - wanted).abs().max() < 1e-5


def test_report(tmp_path: Path):
    """port.json maps every weight of the checkpoint and tells what was dropped."""
    need("torch")
    case = "tf1/res_block2_net"
    port = ported(checkpoint(case), "torch")
    whole_network.write(port, tmp_path / "out", lambda folder: prove(port, folder, tensorflow=False))
    report = json.loads((tmp_path / "out" / "port.json").read_text())
    stored = read_checkpoint(checkpoint(case))
    known = catalogue({name: stored.shape(name) for name in stored})
    assert report["variables"].keys() == known.weights.keys()
    assert set(report["dropped_variables"]) == set(known.aside)
    weights = safetensors.numpy.load_file(tmp_path / "out" / "weights.safetensors")
    counters = {name for name in weights if name.endswith("num_batches_tracked")}
    assert {name for place in report["variables"].values() for name in place["weights"]} == weights.keys() - counters
    assert report["operations"]["Conv2D"] == 11
    assert report["steps"] == {"add": 4, "attention": 4, "conv": 11, "dense": 1, "mean": 1, "norm": 11, "relu": 13}
    assert {check["against"] for check in report["checks"]} == {"NumPy, 2x32x24x3", "NumPy, 3x43x35x3"}
    assert all(check["judged"] for check in report["checks"])
    assert "training = False, as outside of training" in report["decisions"]


def test_keras_tools(tmp_path: Path):
    """One step of `fit` moves every weight and statistic; a `.keras` file gives the same network again."""
    need("keras-tensorflow")
    source = put(ported(checkpoint("tf1/res_block2_net"), "keras"), tmp_path)
    in_keras("tensorflow", "ported_checks", "keras_trains_and_saves", source, pairs("tf1/res_block2_net")["input"])


@pytest.mark.parametrize("name", ["nnx", "linen"])
def test_flax_tools(name: str, tmp_path: Path):
    """One step of SGD, compiled, moves every weight and statistic."""
    source = put(ported(checkpoint("tf1/res_block2_net"), need(name)), tmp_path)
    getattr(import_module("ported_checks"), f"{name}_trains")(source, pairs("tf1/res_block2_net")["input"])
