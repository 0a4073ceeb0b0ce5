"""Where a TensorFlow 1 network starts and ends, in graphs that hold more than the network; and that nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from runtimes import in_keras, need
from tf1_nets import C, Net, frozen, saved_model

from attn_core.porting import whole_network
from attn_core.porting.graph.graph import Ref, read_graph
from attn_core.porting.network.boundary import BoundaryError
from attn_core.porting.network.inference import Inference, Options, inference_part
from attn_core.porting.port import Port
from attn_core.porting.proof import prove

STRING, UINT8, FLOAT, INT64 = 7, 4, 1, 9  # DataType


def part(net: Net, folder: Path, **options: object) -> Inference:
    return inference_part(read_graph(net.write(folder / "net.pb")), Options(**options))


def convolution(net: Net, image: str, name: str, channels: int = C, outputs: int = C) -> str:
    kernel = net.weights(f"{name}/kernel", (1, 1, channels, outputs))
    return net.node("Conv2D", name, image, kernel, strides=(1, 1, 1, 1), padding=b"SAME")


def head(net: Net, image: str, name: str, classes: int = 3) -> str:
    """Add a classifier: mean over space, one layer."""
    mean = net.node("Mean", f"{name}/mean", image, net.const(f"{name}/axes", (1, 2), "int32"), T=FLOAT)
    return net.dense(mean, name, (C, classes))


# ---- the image -------------------------------------------------------------------------------------------------------


def decoded(net: Net) -> str:
    """Add what reads an image from its file: the graph is fed the file's bytes."""
    file = net.node("Placeholder", "file", shape=(), dtype=STRING)
    pixels = net.node("DecodeJpeg", "pixels", file)
    scaled = net.node("Cast", "scaled", pixels, DstT=FLOAT, SrcT=UINT8)
    return net.node(
        "ExpandDims", "batch", scaled, net.const("axis", 0, "int32"), T=FLOAT, _output_shapes=(1, -1, -1, C)
    )


def test_an_image_that_is_decoded(tmp_path: Path):
    net = frozen()
    head(net, convolution(net, decoded(net), "conv"), "logits")
    found = part(net, tmp_path)
    assert found.image.node == "batch"
    assert "cut at the image 'batch'; before it stood: Placeholder, DecodeJpeg, Cast" in found.decisions
    assert found.graph.nodes["batch"].op == "Placeholder"
    assert "pixels" not in found.original.nodes


def test_an_image_that_is_augmented(tmp_path: Path):
    """Random numbers before the network belong to the training; arithmetic of the image stays."""
    net = frozen()
    noise = net.node("RandomUniform", "noise", net.const("one", (1,), "int32"), dtype=FLOAT)
    flipped = net.node("Mul", "flipped", net.image(), noise, _output_shapes=(-1, 4, 4, C))
    whitened = net.node("Sub", "whitened", flipped, net.const("mean", 0.5))
    head(net, convolution(net, whitened, "conv"), "logits")
    found = part(net, tmp_path)
    assert found.image.node == "flipped"
    assert "whitened" in found.graph.nodes


def test_an_image_that_a_user_names(tmp_path: Path):
    net = frozen()
    convolved = convolution(net, net.image(), "conv")
    head(net, convolved, "logits")
    found = part(net, tmp_path, image="conv")
    assert found.image.node == "conv"
    assert {"input", "conv/kernel"}.isdisjoint(found.graph.nodes)


def test_labels_of_the_same_iterator(tmp_path: Path):
    net = frozen()
    source = net.node("OneShotIterator", "iterator")
    net.node("IteratorGetNext", "next", source)
    types = net.definition.node[-1].attr
    types["output_types"].list.type.extend([FLOAT, INT64])
    for sizes in ((-1, 4, 4, C), (-1,)):
        added = types["output_shapes"].list.shape.add()
        for size in sizes:
            added.dim.add(size=size)
    logits = head(net, convolution(net, "next", "conv"), "logits")
    net.node("SparseSoftmaxCrossEntropyWithLogits", "loss", logits, "next:1")
    found = part(net, tmp_path)
    assert found.output.node == "logits/BiasAdd"
    assert found.image.node == "next_image"
    assert [dim.size for dim in found.graph.nodes["next_image"].attributes["shape"].shape.dim] == [-1, 4, 4, C]


# ---- the result ------------------------------------------------------------------------------------------------------


def test_classes_are_no_result(tmp_path: Path):
    net = frozen()
    logits = head(net, convolution(net, net.image(), "conv"), "logits")
    chosen = net.node("ArgMax", "chosen", net.node("Softmax", "softmax", logits), net.const("axis", 1, "int32"))
    net.node("Identity", "classes", net.node("Cast", "cast", chosen, DstT=INT64))
    assert part(net, tmp_path).output.node == "softmax"


def test_a_loss_without_labels(tmp_path: Path):
    net = frozen()
    logits = head(net, convolution(net, net.image(), "conv"), "logits")
    squares = net.node("Square", "squares", logits)
    net.node("Mean", "loss", squares, net.const("all", (0, 1), "int32"))
    assert part(net, tmp_path).output.node == "logits/BiasAdd"


def test_a_loss_reads_logits(tmp_path: Path):
    net = frozen()
    logits = head(net, convolution(net, net.image(), "conv"), "logits")
    net.node("Softmax", "probabilities", logits)
    rows = net.node("Reshape", "rows", logits, net.const("sizes", (-1, 3), "int32"), T=FLOAT)
    labels = net.node("Placeholder", "labels", shape=(-1, 3), dtype=FLOAT)
    net.node("SoftmaxCrossEntropyWithLogits", "loss", rows, labels)
    assert part(net, tmp_path).output.node == "logits/BiasAdd"


def test_a_signature_names_the_result(tmp_path: Path):
    net = frozen()
    convolved = convolution(net, net.image(), "conv")
    head(net, convolved, "logits")
    model = saved_model({"serve": net})
    signature = model.meta_graphs[0].signature_def.add(key="serving_default").value
    signature.outputs.add(key="features").value.name = "conv:0"
    path = tmp_path / "saved_model.pb"
    path.write_bytes(model.SerializeToString())
    found = inference_part(read_graph(path), Options())
    assert found.output.node == "conv"
    assert "2 operations with weights need the result and were left out: logits/MatMul, ..." in found.decisions


def test_a_signature_of_logits_and_probabilities(tmp_path: Path):
    """They are one head, whose result is the logits."""
    net = frozen()
    logits = head(net, convolution(net, net.image(), "conv"), "logits")
    probabilities = net.node("Softmax", "probabilities", logits)
    model = saved_model({"serve": net})
    signature = model.meta_graphs[0].signature_def.add(key="serving_default").value
    for key, name in {"probabilities": probabilities, "logits": logits}.items():
        signature.outputs.add(key=key).value.name = f"{name}:0"
    path = tmp_path / "saved_model.pb"
    path.write_bytes(model.SerializeToString())
    assert inference_part(read_graph(path), Options()).output.node == "logits/BiasAdd"


def two_heads() -> Net:
    """Return a net that gives a map and classes."""
    net = frozen()
    convolved = convolution(net, net.image(), "conv")
    net.node("Relu", "map", convolution(net, convolved, "mask", outputs=2))
    head(net, convolved, "classes")
    return net


def test_several_heads(tmp_path: Path):
    found = part(two_heads(), tmp_path)
    assert found.heads == {"classes/BiasAdd": Ref("classes/BiasAdd"), "map": Ref("map")}
    assert found.decisions == ("image: input; results, a dictionary: classes/BiasAdd, map",)
    one = part(two_heads(), tmp_path, output="map")
    assert (one.output, one.heads) == (Ref("map"), {})
    chosen = part(two_heads(), tmp_path, output="map,conv")
    assert chosen.heads == {"map": Ref("map"), "conv": Ref("conv")}


@pytest.mark.parametrize("target", ["torch", "linen", "nnx"])
def test_several_heads_are_a_dictionary(tmp_path: Path, target: str):
    need(target)
    port = heads_in(target, tmp_path)
    assert 'return {\n            "classes/BiasAdd": ' in port.source
    assert port.passed, port.checks


def test_several_heads_in_keras(tmp_path: Path):
    need("keras-tensorflow")
    assert in_keras("tensorflow", "test_tf1_boundary", "heads_pass", tmp_path)


def heads_pass(folder: Path) -> bool:
    return heads_in("keras", folder).passed


def heads_in(target: str, folder: Path) -> Port:
    """Port the net of two heads, and prove it."""
    port = whole_network.read(two_heads().write(folder / "net.pb"), target, Options())
    whole_network.write(port, folder / "out", lambda inside: prove(port, inside, None, tensorflow=target == "torch"))
    return port


def test_a_head_that_is_there_for_a_loss(tmp_path: Path):
    """The auxiliary classifier of a training is left out, and a note says so."""
    net = frozen()
    trunk = convolution(net, net.image(), "conv")
    labels = net.node("Placeholder", "labels", shape=(-1,), dtype=INT64)
    early = head(net, trunk, "early")
    late = head(net, convolution(net, trunk, "conv_1"), "late")
    for name, logits in (("aside", early), ("main", late)):
        net.node("SparseSoftmaxCrossEntropyWithLogits", f"{name}_loss", logits, labels)
    found = part(net, tmp_path)
    assert found.output.node == "late/BiasAdd"
    assert "left out, as heads that are there for the loss of a training: early/BiasAdd" in found.decisions


def test_no_result(tmp_path: Path):
    """All that needs a layer needs the labels, too."""
    net = frozen()
    labels = net.node("Placeholder", "labels", shape=(-1, 4, 4, C), dtype=FLOAT)
    mixed = net.node("Add", "mixed", net.image(), labels)
    head(net, convolution(net, mixed, "conv"), "logits")
    with pytest.raises(BoundaryError, match="does not show the network's result: name it with --output NODE"):
        part(net, tmp_path)


# ---- nothing is left out ---------------------------------------------------------------------------------------------


def chosen(net: Net, image: str, name: str, flag: str, inner: str | None = None) -> str:
    """Add a condition on a flag: a sum with one number or another; `inner` is a condition in the branch of true."""
    switch = net.node("Switch", f"{name}/Switch", image, flag)
    taken = f"{switch}:1"
    if inner is not None:
        taken = chosen(net, taken, f"{name}/{inner}", flag)
    trained = net.node("Add", f"{name}/trained", taken, net.const(f"{name}/two", 2.0))
    used = net.node("Add", f"{name}/used", f"{switch}:0", net.const(f"{name}/one", 1.0))
    return net.node("Merge", f"{name}/Merge", used, trained)


@pytest.mark.parametrize("inner", [None, "cond"])
def test_conditions_within_conditions(tmp_path: Path, inner: str | None):
    """A merge within a branch that is not taken is dead, too, and hides nothing behind it."""
    net = frozen()
    flag = net.node("Placeholder", "is_training", shape=(), dtype=10)
    image = chosen(net, convolution(net, net.image(), "conv"), "cond", flag, inner)
    head(net, image, "logits")
    found = part(net, tmp_path)
    assert found.output.node == "logits/BiasAdd"
    assert "cond/used" in found.graph.nodes
    assert "cond/trained" not in found.graph.nodes


def test_what_cannot_run_is_named(tmp_path: Path):
    """A loop behind the network, which is not read: the network is not said to end before it."""
    net = frozen()
    convolved = convolution(net, net.image(), "conv")
    entered = net.node("Enter", "while/Enter", convolved)
    merged = net.node("Merge", "while/Merge", entered, "while/NextIteration")
    again = convolution(net, merged, "while/conv")
    net.node("NextIteration", "while/NextIteration", again)
    with pytest.raises(BoundaryError, match="'while/conv' \\(Conv2D\\) needs it"):
        part(net, tmp_path)
