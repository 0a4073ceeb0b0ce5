"""SavedModels of TensorFlow 2: their functions are put in place of what calls them, and then they are graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtimes import in_keras, need
from tensorboard.compat.proto import graph_pb2

from attn_core.porting import whole_network
from attn_core.porting.graph.functions import inlined
from attn_core.porting.graph.graph import read_graph
from attn_core.porting.network.inference import Options
from attn_core.porting.proof import prove
from attn_core.weights.files.tf1.errors import CheckpointError

FLOAT, BOOL = 1, 10  # DataType


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, np.ndarray]]]:
    need("keras-tensorflow")
    folder = tmp_path_factory.mktemp("saved_models")
    return folder, in_keras("tensorflow", "tf2_saved_models", "save", folder)


@pytest.mark.parametrize("name", ["plain", "chooses", "exported"])
def test_saved_model_becomes_torch(saved: Any, name: str, tmp_path: Path) -> None:
    need("torch")
    folder, recorded = saved
    port = whole_network.read(folder / name, "torch", Options())
    whole_network.write(port, tmp_path / "out", lambda inside: prove(port, inside, recorded[name], False))
    assert all(check.passed for check in port.checks)
    assert any("recorded" in check.what for check in port.checks)
    assert any("as its saver states" in note for note in port.notes)


def graph(*functions: str) -> graph_pb2.GraphDef:
    """Return a graph that calls the first function, which calls the next, and so on; the last is the identity."""
    made = graph_pb2.GraphDef()
    made.versions.producer = 134
    made.node.add(name="x", op="Placeholder").attr["dtype"].type = FLOAT
    _call(made.node, "end", "x", functions[0])
    for name, inner in zip(functions, [*functions[1:], ""], strict=True):
        function = made.library.function.add()
        function.signature.name = name
        function.signature.input_arg.add(name="a", type=FLOAT)
        function.signature.output_arg.add(name="r", type=FLOAT)
        function.ret["r"] = "inner:output:0"
        if inner:
            _call(function.node_def, "inner", "a", inner)
        else:
            function.node_def.add(name="inner", op="Identity", input=["a"]).attr["T"].type = FLOAT
    return made


def _call(nodes: Any, name: str, data: str, function: str) -> None:
    node = nodes.add(name=name, op="PartitionedCall", input=[data])
    node.attr["f"].func.name = function


def expanded(made: graph_pb2.GraphDef) -> dict[str, Any]:
    return {node.name: node for node in inlined(list(made.node), made.library.function, "file")}


def test_functions_are_put_in_place() -> None:
    nodes = expanded(graph("f", "g"))
    assert list(nodes["end/inner/inner"].input) == ["x"]
    assert list(nodes["end/inner"].input) == ["end/inner/inner"]
    assert nodes["end"].op == "IdentityN"
    assert list(nodes["end"].input) == ["end/inner"]


def test_conditions_become_switches() -> None:
    made = graph("f")
    made.node.add(name="p", op="Placeholder").attr["dtype"].type = BOOL
    node = made.node.add(name="if", op="StatelessIf", input=["p", "x"])
    node.attr["then_branch"].func.name = node.attr["else_branch"].func.name = "f"
    node.attr["Tin"].list.type.append(FLOAT)
    nodes = expanded(made)
    assert list(nodes["if/then_branch/inner"].input) == ["if/Switch_1:1"]
    assert list(nodes["if/else_branch/inner"].input) == ["if/Switch_1:0"]
    assert list(nodes["if/Merge_0"].input) == ["if/else_branch/inner", "if/then_branch/inner"]


def _without_result(made: graph_pb2.GraphDef) -> None:
    del made.library.function[0].ret["r"]


def _with_more_inputs(made: graph_pb2.GraphDef) -> None:
    made.node[1].input.append("x")


def _reading_nothing(made: graph_pb2.GraphDef) -> None:
    made.library.function[0].node_def[0].input[0] = "other:output:0"


def _calling_nothing(made: graph_pb2.GraphDef) -> None:
    made.node[1].attr["f"].func.name = "h"


def _without_end(made: graph_pb2.GraphDef) -> None:
    made.library.function[1].node_def[0].op = "PartitionedCall"
    made.library.function[1].node_def[0].attr["f"].func.name = "f"


def _doubling(made: graph_pb2.GraphDef) -> None:
    """Let each of 25 functions call the next one twice."""
    made.CopyFrom(graph(*(f"f{k}" for k in range(25))))
    for k, function in enumerate(made.library.function[:-1]):
        _call(function.node_def, "again", "a", f"f{k + 1}")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_without_result, "gives no 'r'"),
        (_with_more_inputs, "'end' gives 2 of 1 arguments"),
        (_reading_nothing, "'other' of a function that 'end' calls is not in it"),
        (_calling_nothing, "'end' calls 'h', which is not in it"),
        (_without_end, "call each other without end"),
        (_doubling, "become more than 262144 operations"),
    ],
)
def test_damaged_functions_are_refused(damage: Any, said: str, tmp_path: Path) -> None:
    made = graph("f", "g")
    damage(made)
    with pytest.raises(CheckpointError, match=said):
        expanded(made)
    (tmp_path / "frozen.pb").write_bytes(made.SerializeToString())
    with pytest.raises(CheckpointError, match=said):
        read_graph(tmp_path / "frozen.pb")
