"""Reading TensorFlow 1 graphs: the recordings, constants of every form, and files that are damaged or foreign."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runtimes import GOLDEN
from tensorboard.compat.proto import tensor_pb2
from tf1_nets import Net, frozen, saved_model

from attn_core.porting.find.by_structure import match
from attn_core.porting.find.find import find_blocks
from attn_core.porting.graph.constants import decode
from attn_core.porting.graph.graph import Graph, Ref, integers, read_graph
from attn_core.porting.graph.order import natural, places
from attn_core.weights.files.tf1.errors import CheckpointError

GRAPHS = sorted(p for p in GOLDEN.glob("tf1*/*/*") if p.suffix in (".meta", ".pb"))
FROZEN = GOLDEN / "tf1" / "se_block" / "frozen.pb"


def show(path: Path) -> str:
    return f"{path.parent.name}-{path.name}"


@pytest.mark.parametrize("path", GRAPHS, ids=show)
def test_recorded_graphs_read_whole(path: Path) -> None:
    graph = read_graph(path)
    assert graph.complete
    assert len(graph.nodes) > 1
    for node in graph.nodes.values():
        for ref in node.inputs:
            assert node in graph.consumers[ref.node]
        if node.op == "Const" and node.attributes["value"].tensor.dtype != 7:
            tensor = node.attributes["value"].tensor
            assert list(graph.constant(node).shape) == [dim.size for dim in tensor.tensor_shape.dim]


def test_the_structure_of_a_graph() -> None:
    graph = read_graph(FROZEN)
    mean = graph.nodes["Mean"]
    assert (mean.op, mean.inputs) == ("Mean", (Ref("input"), Ref("Mean/reduction_indices")))
    assert {node.name for node in graph.consumers["input"]} == {"Mean", "mul"}
    assert integers(graph, mean.inputs[1]) == (1, 2)
    with pytest.raises(TypeError):
        graph.nodes["other"] = mean  # type: ignore[index]


def test_outputs_and_control_inputs(tmp_path: Path) -> None:
    net = Net()
    net.node("Split", "split", net.image())
    net.node("Add", "sum", "split:1", "split:0", "^input")
    graph = read_graph(net.write(tmp_path / "g.pb"))
    assert graph.nodes["sum"].inputs == (Ref("split", 1), Ref("split"))


def test_saved_model_takes_the_graph_for_serving(tmp_path: Path) -> None:
    first, second = Net(), Net()
    first.image("train")
    second.image("serve")
    saved = saved_model({"train": first, "serve": second})
    path = tmp_path / "saved_model.pb"
    path.write_bytes(saved.SerializeToString())
    assert list(read_graph(path).nodes) == ["serve"]
    assert read_graph(path).source == "saved_model.pb (tags: serve)"
    del saved.meta_graphs[1]
    path.write_bytes(saved.SerializeToString())
    assert list(read_graph(path).nodes) == ["train"]


# Constants


def tensor(dtype: int, shape: tuple[int, ...], **fields: Any) -> Any:
    message = tensor_pb2.TensorProto(dtype=dtype, **fields)
    message.tensor_shape.SetInParent()
    for size in shape:
        message.tensor_shape.dim.add(size=size)
    return message


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (tensor(1, (2, 2), tensor_content=np.arange(4, dtype="<f4").tobytes()), np.float32([[0, 1], [2, 3]])),
        (tensor(1, (3,), float_val=[1.5]), np.float32([1.5, 1.5, 1.5])),
        (tensor(1, (3,), float_val=[1, 2]), np.float32([1, 2, 2])),
        (tensor(1, (2,)), np.float32([0, 0])),
        (tensor(1, (0, 3)), np.zeros((0, 3), np.float32)),
        (tensor(2, (), double_val=[0.1]), np.float64(0.1)),
        (tensor(3, (2,), int_val=[-1, 7]), np.int32([-1, 7])),
        (tensor(9, (1,), int64_val=[-(2**40)]), np.int64([-(2**40)])),
        (tensor(10, (2,), bool_val=[True, False]), np.array([True, False])),
        (tensor(14, (2,), half_val=[0x3F80, 0xC040]), np.float32([1, -3])),
        (tensor(14, (1,), tensor_content=b"\x80\x3f"), np.float32([1])),
        (tensor(19, (2,), half_val=[0x3C00, 0xC200]), np.float16([1, -3])),
        (tensor(19, (1,), tensor_content=b"\x00\x3c"), np.float16([1])),
    ],
)
def test_constants(message: Any, expected: np.ndarray) -> None:
    array = decode(message, "x")
    assert array.dtype == expected.dtype
    assert array.shape == np.shape(expected)
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (tensor(1, (10**12,), float_val=[1.0]), "1000000000000 values, but lists 1"),
        (tensor(1, (2**40, 2**40)), "larger than any array"),
        (tensor(1, (-1,)), "no complete shape"),
        (tensor(1, (2,), tensor_content=b"1234567"), "8 bytes, but holds 7"),
        (tensor(1, (1,), float_val=[1, 2]), "1 values, but lists 2"),
        (tensor(6, (1,), int_val=[1000]), "does not fit into DT_INT8"),
        (tensor(19, (1,), half_val=[70000]), "does not fit into DT_HALF"),
        (tensor(7, (1,), string_val=[b"x"]), "DT_STRING"),
        (tensor(99, (1,)), "99"),
    ],
)
def test_constants_that_contradict_themselves(message: Any, words: str) -> None:
    with pytest.raises(CheckpointError, match=f"the constant.*{words}"):
        decode(message, "the constant 'x'")


# Damage


def fails(path: Path, words: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_graph(path)
    message = str(caught.value)
    assert str(path) in message
    assert words in message
    assert message.endswith(".")


@pytest.mark.parametrize(
    "content", [b"\x00" * 100, b"not a graph", b"\x89PNG\r\n\x1a\n" * 20, b"\x0a\x00", b"PK\x03\x04"]
)
def test_foreign_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pb"
    path.write_bytes(content)
    fails(path, "damaged or no TensorFlow graph")


def test_empty_folders_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "empty.pb").touch()
    fails(tmp_path / "empty.pb", "0 bytes")
    fails(tmp_path, "folder")
    with pytest.raises(FileNotFoundError, match=r"gone\.pb"):
        read_graph(tmp_path / "gone.pb")


def test_a_node_twice(tmp_path: Path) -> None:
    net = Net()
    net.image()
    net.image()
    fails(net.write(tmp_path / "g.pb"), "two nodes of the name 'input'")


@pytest.mark.parametrize("ref", ["gone", "input:x", "input:-1", ":0", "input:99999999999", "input:²"])
def test_inputs_that_are_none(tmp_path: Path, ref: str) -> None:
    net = Net()
    net.node("Relu", "relu", ref, net.image())
    fails(net.write(tmp_path / "g.pb"), "'relu' reads")


def test_a_constant_without_value(tmp_path: Path) -> None:
    net = Net()
    net.node("Const", "empty")
    fails(net.write(tmp_path / "g.pb"), "'empty' holds nothing")


def search(path: Path, data: bytes) -> tuple[str, ...]:
    """Return what the finder says of a file: its one sentence, or its notes; any other exception goes through."""
    path.write_bytes(data)
    try:
        return find_blocks(path).notes
    except CheckpointError as error:
        return (str(error),)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, FROZEN.stat().st_size - 1))
def test_truncation_is_an_error_or_a_note(tmp_path: Path, cut: int) -> None:
    said = search(tmp_path / "cut.pb", FROZEN.read_bytes()[:cut])
    assert any("cut.pb" in sentence for sentence in said)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.integers(0, FROZEN.stat().st_size - 1), value=st.integers(0, 255))
def test_flipped_bytes_never_show_internals(tmp_path: Path, where: int, value: int) -> None:
    data = bytearray(FROZEN.read_bytes())
    data[where] = value
    for sentence in search(tmp_path / "flipped.pb", bytes(data)):
        assert "flipped.pb" in sentence


# Circles and size


def graph_of(net: Net, tmp_path: Path) -> Graph:
    return read_graph(net.write(tmp_path / "net.pb"))


def test_circles_end(tmp_path: Path) -> None:
    net = frozen()
    net.node("Identity", "a", "b")
    net.node("Identity", "b", "a")
    net.node("ConcatV2", "c", "c", "c", "c")
    net.node("Mul", "product", "a", net.gate(net.mean("a", "mean"), "s"))
    net.node("MatMul", "odd", "a", "c")
    net.node("Sigmoid", "sigmoid", "odd")
    graph = graph_of(net, tmp_path)
    match(graph)
    assert places(graph)["a"] == len(graph.nodes)


def test_while_loops_keep_their_order(tmp_path: Path) -> None:
    net = frozen()
    net.node("Enter", "enter", net.image())
    net.node("Merge", "merge", "enter", "next")
    net.node("NextIteration", "next", net.se(net.se("merge", "z"), "a"))
    matches, doubts = match(graph_of(net, tmp_path))
    assert [each.product for each in matches] == ["z/mul", "a/mul"]
    assert not doubts


def test_a_hundred_thousand_nodes(tmp_path: Path) -> None:
    net = frozen()
    image = net.image()
    for number in range(50_000):
        image = net.node("Relu" if number % 2 else "Identity", f"n{number}", image)
    image = net.se(image, "se")
    for number in range(50_000):
        image = net.node("Mul", f"m{number}", image, "n0")
    graph = graph_of(net, tmp_path)
    start = time.process_time()
    matches, _ = match(graph)
    assert [each.product for each in matches] == ["se/mul"]
    assert time.process_time() - start < 20


def test_natural_order() -> None:
    names = ["conv2d", "conv2d_1", "conv2d_2", "conv2d_10", "conv2d_10/kernel", "dense", "dense_2"]
    assert sorted(["dense_2", *names[:-1]], key=natural) == names
    assert natural("a" + "9" * 10_000) > natural("a" + "8" * 10_000)
