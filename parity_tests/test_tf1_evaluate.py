"""Whole graphs in NumPy: the recorded network, conditions, and graphs that cannot be run."""

from __future__ import annotations

import itertools
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bounds import FLOAT64, RECORDED, TENSORFLOW_1
from runtimes import GOLDEN, in_keras, need
from tf1_nets import Net

from attn_core.parity import error
from attn_core.porting.graph.graph import Graph, Ref
from attn_core.porting.graph.lazy import Lazy
from attn_core.porting.graph.ops.evaluate import evaluate
from attn_core.porting.tf1 import CheckpointError, read_checkpoint, read_graph
from attn_core.weights.files.tf1.errors import UnknownOpError

NETWORK = GOLDEN / "tf1" / "res_block2_net"
TRAINED = 1e-4  # absolute, of float32 through eleven normalisations by the batch

OUT = Ref("out")


def array(*values: float) -> np.ndarray:
    return np.array(values)


def written(net: Net, folder: Path) -> Graph:
    return read_graph(net.write(folder / "g.pb"))


def refused(graph: Graph, feeds: dict[str, Any], *outputs: Ref) -> str:
    with pytest.raises(CheckpointError) as caught:
        evaluate(graph, {Ref(name): np.asarray(value) for name, value in feeds.items()}, outputs or [OUT])
    return str(caught.value).replace(str(graph.path), "g.pb")


# The recorded network


@pytest.fixture(scope="module")
def recording() -> dict[str, np.ndarray]:
    with np.load(NETWORK / "io.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_frozen_network(dtype: str, recording: dict[str, np.ndarray]) -> None:
    graph, image = read_graph(NETWORK / "frozen.pb"), recording["input"].astype(dtype)
    found = evaluate(graph, {Ref("input"): image}, [Ref("output")])[Ref("output")]
    assert found.dtype == dtype
    assert abs(found - recording["output"]).max() <= TENSORFLOW_1["output"]


def test_gradients_of_the_frozen_network(recording: dict[str, np.ndarray]) -> None:
    graph, rng = read_graph(NETWORK / "frozen.pb"), np.random.default_rng(0)
    direction = rng.normal(size=recording["input"].shape)
    image = recording["input"] + 1e-30j * direction
    slopes = evaluate(graph, {Ref("input"): image}, [Ref("output")])[Ref("output")].imag / 1e-30
    found, wanted = (slopes * recording["cotangent"]).sum(), (direction * recording["grad:input"]).sum()
    assert error(found, wanted) <= RECORDED["float32"]


@pytest.mark.parametrize(("training", "key"), [(False, "output"), (True, "output_train_mode")])
def test_training_graph(training: bool, key: str, recording: dict[str, np.ndarray]) -> None:
    """Run the graph that was trained, whose batch normalisations stand in conditions."""
    graph = read_graph(NETWORK / "model.ckpt-200.meta")
    feeds = {Ref(name): each for name, each in read_checkpoint(NETWORK / "model.ckpt-200").items()}
    feeds |= {Ref("input"): recording["input"], Ref("training"): np.array(training)}
    found = evaluate(graph, feeds, [Ref("output")])[Ref("output")]
    assert abs(found - recording[key]).max() <= (TRAINED if training else TENSORFLOW_1["output"])


# Variables and conditions, as TensorFlow runs them


@pytest.mark.parametrize("taken", [False, True])
def test_references(taken: bool, tmp_path: Path) -> None:
    need("keras-tensorflow")
    recorded = in_keras("tensorflow", "tf1_ops_checks", "references", taken)
    (tmp_path / "g.pb").write_bytes(recorded.graph)
    feeds = {Ref("variable"): np.array([1, 2], np.float32), Ref("taken"): np.array(taken)}
    found = evaluate(read_graph(tmp_path / "g.pb"), feeds, [Ref("op")])[Ref("op")]
    assert error(found, recorded.outputs[0]) == 0


def test_resources(tmp_path: Path) -> None:
    need("keras-tensorflow")
    recorded = in_keras("tensorflow", "tf1_ops_checks", "resources")
    (tmp_path / "g.pb").write_bytes(recorded.graph)
    graph = read_graph(tmp_path / "g.pb")
    (read,) = graph.nodes["op"].inputs
    for ref in (Ref("variable"), read):
        found = evaluate(graph, {ref: np.array([1, 2], np.float32)}, [Ref("op")])[Ref("op")]
        assert error(found, recorded.outputs[0]) == 0
    assert "'variable' (VarHandleOp) holds no value itself" in refused(graph, {}, Ref("op"))


def test_what_is_fed_comes_when_it_is_read(tmp_path: Path) -> None:
    """Of weights that a file holds, one is in memory at a time."""
    net, alive, most = Net(), list[weakref.ref[np.ndarray]](), list[int]()

    def weight() -> np.ndarray:
        made = np.ones(3)
        alive.append(weakref.ref(made))
        most.append(sum(each() is not None for each in alive))
        return made

    total = net.image("x")
    for k in range(5):
        total = net.node("AddV2", f"add_{k}", total, net.weights(f"w_{k}", (3,)))
    feeds = Lazy({Ref(f"w_{k}"): weight for k in range(5)}) | {Ref("x"): array(1, 2, 3)}
    found = evaluate(written(net, tmp_path), feeds, [Ref("add_4"), Ref("w_0")])
    assert found[Ref("add_4")].tolist() == [6, 7, 8]
    assert len(alive) == 5
    assert max(most) == 2  # the first is asked for, and stays


@pytest.mark.parametrize(("outer", "inner"), list(itertools.product((False, True), repeat=2)))
def test_conditions(outer: bool, inner: bool, tmp_path: Path) -> None:
    """Nested ones, with constants in their branches and random numbers in one that is not taken."""
    need("keras-tensorflow")
    taken = {"outer": np.array(outer), "inner": np.array(inner)}
    recorded = in_keras("tensorflow", "tf1_ops_checks", "conditions", taken)
    (tmp_path / "g.pb").write_bytes(recorded.graph)
    graph, op = read_graph(tmp_path / "g.pb"), Ref("op")
    feeds = {"x": np.arange(6.0).reshape(2, 3), "training": np.array(False), **taken}
    found = evaluate(graph, {Ref(name): each for name, each in feeds.items()}, [op])[op]
    assert error(found, recorded.outputs[0]) <= FLOAT64
    assert "the operation RandomUniform of the node" in refused(graph, {**feeds, "training": True}, op)


def test_the_branch_that_is_not_taken(tmp_path: Path) -> None:
    net = Net()
    net.node("Switch", "switch", net.image("x"), net.image("condition"))
    net.node("Neg", "no", "switch")
    net.node("Exp", "yes", "switch:1")
    net.node("Merge", "out", "no", "yes")
    graph = written(net, tmp_path)
    for taken, wanted in ((False, -2), (True, np.exp(2))):
        feeds = {Ref("x"): np.array(2.0), Ref("condition"): np.array(taken)}
        values = evaluate(graph, feeds, [OUT, Ref("out", 1)])
        assert values[OUT] == wanted
        assert values[Ref("out", 1)] == int(taken)
    feeds = {"x": 2.0, "condition": True}
    assert refused(graph, feeds, Ref("no")) == "g.pb: 'no' is in a branch of a condition that is not taken."
    assert refused(graph, feeds, Ref("switch")) == "g.pb: 'switch' is in a branch of a condition that is not taken."


# What is computed, and what is kept


def test_only_what_is_needed_is_computed(tmp_path: Path) -> None:
    net = Net()
    net.node("Unheard", "before", net.image("x"))
    net.node("Split", "split", net.const("axis", 0, "int32"), "before", num_split=2)
    net.definition.node[-1].attr["num_split"].i = 2
    net.node("Neg", "middle", "split:1")
    net.node("Add", "out", "middle", "split")
    net.node("Unheard", "after", "out")
    seen: dict[Ref, np.ndarray] = {}
    feeds = {Ref("before"): array(1, 2)}
    assert evaluate(written(net, tmp_path), feeds, [OUT], watch=seen.__setitem__)[OUT] == array(-1)
    assert list(seen) == [Ref("split"), Ref("split", 1), Ref("middle"), OUT]
    feeds = {Ref("split"): array(5), Ref("middle"): array(7)}
    assert evaluate(written(net, tmp_path), feeds, [OUT, Ref("middle")]) == {OUT: array(12), Ref("middle"): array(7)}
    feeds = {Ref("before"): array(1, 2), Ref("split"): array(5)}
    assert evaluate(written(net, tmp_path), feeds, [OUT])[OUT] == array(3)


def test_values_are_freed_after_their_last_reader(tmp_path: Path) -> None:
    net, count = Net(), 12
    net.image("0")
    for i in range(count):
        net.node("Exp" if i % 2 else "Tanh", f"{i + 1}", f"{i}")
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    def watch(_: Ref, value: np.ndarray) -> None:
        nonlocal most
        alive.append(weakref.ref(value))
        most = max(most, sum(each() is not None for each in alive))

    evaluate(written(net, tmp_path), {Ref("0"): array(1)}, [Ref(f"{count}")], watch=watch)
    assert most == 2  # what is read and what is written


@pytest.mark.parametrize("depth", [10_000])
def test_deep_graphs(depth: int, tmp_path: Path) -> None:
    net = Net()
    net.image("0")
    for i in range(depth):
        net.node("AddV2", f"{i + 1}", f"{i}", f"{i // 2}")
    deep = Ref(f"{depth}")
    found = evaluate(written(net, tmp_path), {Ref("0"): array(0.0, 1.0)}, [deep])[deep]
    assert found[0] == 0
    assert found[1] > depth


# Graphs that cannot be run


def test_unknown_operation(tmp_path: Path) -> None:
    net = Net()
    net.node("Neg", "a", net.image("x"))
    net.node("TopKV2", "top", "a", "x")
    for i in range(4):
        net.node("Neg", f"b{i}", "top")
    net.node("AddN", "out", "b0", "b1", "b2", "b3")
    graph = written(net, tmp_path)
    assert refused(graph, {"x": 1.0}) == (
        "g.pb: the operation TopKV2 of the node 'top' is not known here. It reads 'a' (Neg), 'x' (Placeholder); "
        "it is read by 'b0' (Neg), 'b1' (Neg), 'b2' (Neg) and others."
    )
    with pytest.raises(UnknownOpError):
        evaluate(graph, {Ref("a"): array(1), Ref("x"): array(1)}, [OUT])


def test_operations_that_fail(tmp_path: Path) -> None:
    net = Net()
    net.node("MatMul", "out", net.image("x"), net.image("y"))
    net.node("CheckNumerics", "checked", "x")
    net.node("Reshape", "few", "x")
    graph = written(net, tmp_path)
    x, y = np.zeros((2, 3)), np.zeros((2, 3), np.float32)
    assert refused(graph, {"x": x, "y": y}).startswith("g.pb: 'out' (MatMul) fails on float64[2, 3], float32[2, 3]: ")
    assert refused(graph, {"x": x + np.nan}, Ref("checked")) == (
        "g.pb: 'checked' (CheckNumerics) fails on float64[2, 3]: the array: not every number is finite."
    )
    assert refused(graph, {"x": x}, Ref("few")).startswith("g.pb: 'few' (Reshape) fails on float64[2, 3]: ")
    assert refused(graph, {"x": x}) == "g.pb: 'y' (Placeholder) holds no value itself and was not fed."
    assert refused(graph, {}, Ref("none")) == "g.pb has no node 'none'."
    assert refused(graph, {"x": x, "y": y.T}, Ref("out", 3)) == "g.pb: 'out' (MatMul) has no output 3."


def test_loops(tmp_path: Path) -> None:
    net = Net()
    net.node("Merge", "merge", net.image("x"), "next")
    net.node("Neg", "out", "merge")
    net.node("NextIteration", "next", "out")
    assert refused(written(net, tmp_path), {"x": 1.0}) == ("g.pb: 'out' (Neg) is part of a loop; loops are not run.")


def test_missing_inputs(recording: dict[str, np.ndarray]) -> None:
    graph, refusals = read_graph(NETWORK / "frozen.pb"), 0
    readers = [node for node in graph.nodes.values() if node.inputs and node.op != "Pack"]
    for node in readers[::4]:
        short = {**graph.nodes, node.name: replace(node, inputs=node.inputs[:-1])}
        with pytest.raises(CheckpointError, match=f"'{node.name}'.* fails on .*\\.$"):
            evaluate(replace(graph, nodes=short), {Ref("input"): recording["input"]}, [Ref("output")])
        refusals += 1
    assert refusals > 50


HOSTILE = {
    "a kernel larger than the image": ("Conv2D", [(1, 2, 2, 3), (5, 5, 3, 4)], {"padding": b"VALID"}),
    "a kernel of other channels": ("Conv2D", [(1, 5, 5, 3), (3, 3, 2, 4)], {"padding": b"SAME"}),
    "groups that do not divide": ("Conv2D", [(1, 5, 5, 4), (3, 3, 2, 5)], {"padding": b"SAME"}),
    "an empty kernel": ("Conv2D", [(1, 5, 5, 3), (0, 3, 3, 4)], {"padding": b"SAME"}),
    "a kernel without channels": ("Conv2D", [(1, 5, 5, 3), (3, 3, 0, 4)], {"padding": b"SAME"}),
    "no such padding": ("Conv2D", [(1, 5, 5, 3), (3, 3, 3, 4)], {"padding": b"CIRCULAR"}),
    "no strides": ("DepthwiseConv2dNative", [(1, 5, 5, 3), (3, 3, 3, 1)], {"padding": b"SAME", "strides": ()}),
    "strides of zero": ("Conv2D", [(1, 5, 5, 3), (3, 3, 3, 1)], {"padding": b"SAME", "strides": (0, 0, 0, 0)}),
    "other channels": ("DepthwiseConv2dNative", [(1, 5, 5, 3), (3, 3, 2, 1)], {"padding": b"SAME"}),
    "a bias of one number": ("BiasAdd", [(1, 5, 5, 3), (1,)], {}),
    "a pool without a window": ("MaxPool", [(1, 5, 5, 3)], {"padding": b"SAME"}),
    "statistics of one number": ("FusedBatchNormV3", [(1, 5, 5, 3), (1,), (1,), (1,), (1,)], {}),
    "a tensor for a matrix": ("MatMul", [(1, 2, 3), (3, 4)], {}),
    "blocks that do not fit": ("SpaceToDepth", [(1, 5, 5, 3)], {}),
    "rows that are not selected": ("Select", [(3,), (2, 4), (2, 4)], {}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_does_not_fit(what: str, tmp_path: Path) -> None:
    op, shapes, attributes = HOSTILE[what]
    net = Net()
    names = [net.image(f"x{i}") for i in range(len(shapes))]
    net.node(op, "out", *names, **{"strides": (1, 1, 1, 1), **attributes})
    feeds = {name: np.ones(shape) for name, shape in zip(names, shapes, strict=True)}
    assert refused(written(net, tmp_path), feeds).startswith(f"g.pb: 'out' ({op}) fails on float64{list(shapes[0])}")
