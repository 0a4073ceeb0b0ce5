"""Networks that cannot be ported as they are: what is said, and that nothing is written; and the ways out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from runtimes import GOLDEN, need
from tensorboard.compat.proto import graph_pb2
from terminal import NET, SE, Attn

from attn_core.porting import whole_network
from attn_core.porting.network.boundary import BoundaryError
from attn_core.porting.network.images import SizeError
from attn_core.porting.network.inference import Options
from attn_core.porting.port import Port
from attn_core.porting.ported import imported
from attn_core.porting.tf1 import CheckpointError
from attn_core.porting.whole_network import UnknownStepsError

Change = Callable[[graph_pb2.GraphDef], None]


def changed(tmp_path: Path, change: Change, case: str = "tf1/res_block2_net") -> Path:
    """Write a frozen graph that was changed."""
    graph = graph_pb2.GraphDef.FromString((GOLDEN / case / "frozen.pb").read_bytes())
    change(graph)
    path = tmp_path / "changed.pb"
    path.write_bytes(graph.SerializeToString(deterministic=True))
    return path


def named(graph: graph_pb2.GraphDef, name: str) -> graph_pb2.NodeDef:
    return next(node for node in graph.node if node.name == name)


def other_op(op: str) -> Change:
    def change(graph: graph_pb2.GraphDef) -> None:
        node = named(graph, "Relu_12")
        node.op = op
        node.attr.clear()

    return change


def read(path: Path, target: str = "torch", **options: object) -> Port:
    return whole_network.read(path, target, Options(**options))


# ---- operations -----------------------------------------------------------------------------------------------------


def test_unknown_here(tmp_path: Path):
    """An operation that the graph can be run with, but that has no counterpart."""
    with pytest.raises(UnknownStepsError) as error:
        read(changed(tmp_path, other_op("Floor")))
    assert str(error.value) == (
        f"{tmp_path}/changed.pb: 1 operation without a counterpart: Floor at 'Relu_12' "
        "(reads 'add_3'; read by 'Mean_4'): this operation is not known here. "
        "--allow-unknown writes the rest, --blocks ports the attention blocks alone."
    )


def test_unknown_altogether(tmp_path: Path):
    with pytest.raises(CheckpointError) as error:
        read(changed(tmp_path, other_op("Mystery")))
    assert str(error.value).startswith(
        f"{tmp_path}/changed.pb: the operation Mystery of the node 'Relu_12' is not known here. "
        "It reads 'add_3' (AddV2); it is read by 'Mean_4' (Mean)."
    )


@pytest.mark.parametrize("op", ["Floor", "Mystery"])
@pytest.mark.parametrize("target", ["torch", "keras", "nnx", "linen"])
def test_gaps(tmp_path: Path, op: str, target: str):
    """With --allow-unknown the rest is written, and the gap says what belongs there."""
    port = whole_network.read(changed(tmp_path, other_op(op)), target, Options(), allow_unknown=True)
    assert port.source.count(f'unknown("{op}", y)') == 1
    assert any(note.startswith(f"left out, {op} at 'Relu_12'") for note in port.notes)
    compile(port.source, "model.py", "exec")


def test_gaps_to_fill(attn: Attn, tmp_path: Path):
    torch = pytest.importorskip(need("torch"))
    path = changed(tmp_path, other_op("Mystery"))
    code, stdout, _ = attn("port", path, "--to", "torch", "--out", "out", "--allow-unknown")
    assert code == 0
    assert "Not compared: the source has gaps, calls of `unknown`.\n" in stdout
    module = imported("out/model.py")
    with np.load(NET / "io.npz") as io:
        x, logits = torch.tensor(np.moveaxis(io["input"], -1, 1)), io["output"]
    with pytest.raises(NotImplementedError, match="Mystery"):
        module.load()(x)
    module.unknown = lambda operation, x: torch.relu(x)
    assert np.abs(module.load()(x).detach().numpy() - logits).max() < 1e-5


# ---- where a network starts and ends --------------------------------------------------------------------------------


def test_a_result_behind_which_sums_stand(attn: Attn):
    """Two towers on shared weights; the sum over everything is a loss, and one of the towers is taken."""
    need("torch")
    path = GOLDEN / "tf1_blocks" / "shared_towers" / "model.ckpt"
    assert attn("port", path, "--to", "torch", "--out", "out", "--no-tensorflow")[0] == 0
    text = Path("out/model.py").read_text()
    assert text.count("SqueezeExcitation(") == 2


@pytest.mark.parametrize(
    ("options", "said"), [({"image": "nowhere"}, "nowhere"), ({"output": "nothing:0"}, "nothing:0")]
)
def test_no_such_node(options: dict[str, str], said: str):
    with pytest.raises(BoundaryError, match=f"has no node '{said}' on the way from its image to its result"):
        read(NET / "frozen.pb", **options)


def test_another_result():
    """A node in the middle; the network ends there."""
    port = read(NET / "frozen.pb", output="Mean_4")
    assert port.truths[0].output.shape == (2, 40)
    assert "dense_8" not in port.source


def test_nothing_is_fed(tmp_path: Path):
    def cut(graph: graph_pb2.GraphDef) -> None:
        node = named(graph, "input")
        node.op = "Empty"

    with pytest.raises(BoundaryError, match="does not show the image: nothing is fed; name it with --input NODE"):
        read(changed(tmp_path, cut))


# ---- what is fed beside the image -----------------------------------------------------------------------------------


def test_setting_that_is_not_known(tmp_path: Path):
    """A placeholder whose name says nothing: the graph cannot be run, until it is set."""

    def multiply(graph: graph_pb2.GraphDef) -> None:
        node = named(graph, "Relu_12")
        node.op = "Mul"
        node.input.append("p")
        graph.node.add(name="p", op="Placeholder").attr["dtype"].type = 1

    path = changed(tmp_path, multiply)
    with pytest.raises(BoundaryError, match="the network needs 'p', of unknown value: --set p=VALUE"):
        read(path)
    port = read(path, settings={"p": 0.25})
    assert "p = 0.25, as given" in port.notes
    assert "* 0.25" in port.source


@pytest.mark.parametrize("setting", ["p", "p=", "p=one"])
def test_no_setting(attn: Attn, setting: str):
    code, stdout, stderr = attn("port", NET, "--to", "torch", "--out", "out", "--set", setting)
    assert (code, stdout) == (2, "")
    assert stderr == f"attn: {setting!r} is no setting: give a placeholder and its value, as keep_prob=1.\n"
    assert os.listdir() == []


@pytest.mark.parametrize("size", ["32,0", "a,b", "32,24,3,1", ","])
def test_no_size(attn: Attn, size: str):
    code, _, stderr = attn("port", SE, "--to", "torch", "--out", "out", "--size", size)
    rule = "give height and width, as 224,224; of signals the length, of volumes three numbers."
    assert (code, stderr) == (2, f"attn: {size!r} is no size: {rule}\n")


@pytest.mark.parametrize(("size", "count"), [("32", 1), ("32,24,3", 3)])
def test_size_of_other_axes(attn: Attn, size: str, count: int):
    code, _, stderr = attn("port", SE, "--to", "torch", "--out", "out", "--size", size)
    assert code == 2
    assert f"the size {size} has {count} numbers, but the image 'input' has the shape" in " ".join(stderr.split())
    assert stderr.rstrip().endswith("give its height and width.")
    assert os.listdir() == []


def test_size():
    port = read(SE / "model.ckpt", size=(5, 8))
    assert [truth.image.shape for truth in port.truths] == [(2, 5, 8, 64), (3, 15, 19, 64)]


@pytest.mark.parametrize(
    ("axes", "error", "said"),
    [
        (2, SizeError, r"the image 'input' has the shape \[None, None\]"),
        (3, CheckpointError, r"fails on complex128\[2, 128, 3\].*--size LENGTH gives another"),
    ],
)
def test_image_without_sizes(tmp_path: Path, axes: int, error: type[Exception], said: str):
    """A graph whose file says another number of axes than its layers take."""

    def flat(graph: graph_pb2.GraphDef) -> None:
        node = named(graph, "input")
        del node.attr["shape"].shape.dim[axes:]
        for dim in node.attr["shape"].shape.dim:
            dim.size = -1

    with pytest.raises(error, match=said):
        read(changed(tmp_path, flat))


# ---- files ----------------------------------------------------------------------------------------------------------


def test_weights_that_are_missing(tmp_path: Path):
    """A checkpoint of another network beside the graph."""
    for suffix in (".index", ".data-00000-of-00001"):
        (tmp_path / f"model.ckpt{suffix}").write_bytes((SE / f"model.ckpt{suffix}").read_bytes())
    (tmp_path / "model.ckpt.meta").write_bytes((NET / "model.ckpt-200.meta").read_bytes())
    with pytest.raises(CheckpointError, match="does not hold 'batch_normalization"):
        read(tmp_path / "model.ckpt")


def test_source_that_computes_something_else(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    """Exit code 1, the errors are shown, nothing is written, and an earlier result stays as it was."""
    need("torch")
    args = ("--to", "torch", "--out", "out", "--no-tensorflow")
    assert attn("port", SE, *args)[0] == 0
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    written = whole_network.read

    def wrong(*given: object, **options: object) -> Port:
        port = written(*given, **options)
        port.source = port.source.replace("F.relu(y + x)", "F.relu(y - x)")
        return port

    monkeypatch.setattr(whole_network, "read", wrong)
    code, stdout, stderr = attn("port", NET, *args)
    assert code == 1
    assert stdout.count(" ! │") >= 6
    assert stderr.startswith(
        "attn: beyond the bound of 1e-05 at 'dense_8/BiasAdd', nothing was written: output, float32 (NumPy, 2x32x24x3)"
    )
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == before


def test_recording_that_differs(attn: Attn):
    need("torch")
    with np.load(NET / "io.npz") as file:
        np.savez("io.npz", input=file["input"], output=file["output"] + 1e-3)
    code, _, stderr = attn("port", NET, "--to", "torch", "--out", "out", "--no-tensorflow", "--io", "io.npz")
    assert code == 1
    assert stderr == (
        "attn: beyond the bound of 1e-05 at 'dense_8/BiasAdd', nothing was written: "
        "recorded output, float32 (the recording).\n"
    )
    assert not Path("out").exists()
