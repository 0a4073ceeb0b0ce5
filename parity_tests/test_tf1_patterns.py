"""Finding SE blocks by structure, in nets that no recording shows."""

from pathlib import Path

import numpy as np
import pytest
from tf1_nets import C, H, Net, frozen, names, weights

from attn_core import SqueezeExcitation
from attn_core.porting.tf1 import Findings, find_blocks


def search(net: Net, tmp_path: Path) -> Findings:
    return find_blocks(net.write(tmp_path / "net.pb"))


def doubt(net: Net, tmp_path: Path) -> str:
    """Return the one sentence on a net without a certain block."""
    found = search(net, tmp_path)
    assert len(found) == 0
    assert len(found.undecided) == 1
    return found.undecided[0]


def test_a_net_written_by_hand(tmp_path: Path) -> None:
    net = frozen()
    net.se(net.image(), "se")
    (block,) = search(net, tmp_path)
    assert (block.name, block.block) == ("se", SqueezeExcitation(C, hidden=H))
    np.testing.assert_array_equal(block.weights["reduce.weight"], weights("se/dense/kernel", (C, H)).T)


@pytest.mark.parametrize(
    ("shape", "axes", "found"),
    [
        ((-1, 4, 4, C), (1, 2), True),
        ((-1, 4, 4, C), (-2, -3), True),
        ((-1, C, 4, 4), (2, 3), True),
        ((-1, C, 4, 4), (-1, -2), True),
        ((-1, 4, 4, 4, C), (1, 2, 3), True),
        ((-1, C, 4, 4, 4), (2, 3, 4), True),
        ((-1, 4, C), (1,), True),
        ((-1, C, 4), (2,), True),
        ((-1, 4, 4, C), (1,), False),
        ((-1, 4, C, 4), (1, 3), False),
        ((-1, 4, 4, 4, C), (1, 2), False),
        ((-1, 4, 4, C + 1), (1, 2), False),
    ],
)
def test_means_over_space(tmp_path: Path, shape: tuple[int, ...], axes: tuple[int, ...], found: bool) -> None:
    net = frozen()
    net.se(net.image(shape=shape), "se", axes=axes)
    assert len(search(net, tmp_path)) == found
    assert len(search(net, tmp_path).undecided) == (not found)


@pytest.mark.parametrize(
    ("target", "found"), [((-1, 1, 1, C), True), ((-1, C, 1, 1), False), ((-1, 1, 3, 2), False), ((-1, C), True)]
)
def test_gates_must_lie_along_the_channels(tmp_path: Path, target: tuple[int, ...], found: bool) -> None:
    net = frozen()
    image = net.image()
    vector = net.gate(net.mean(image, "mean"), "se")
    net.node("Mul", "mul", net.node("Reshape", "reshape", vector, net.const("target", target, "int32")), image)
    assert len(search(net, tmp_path)) == found


def test_known_shapes_show_a_gate_across_space(tmp_path: Path) -> None:
    net = frozen()
    image = net.image(shape=(-1, C, 4, C))
    vector = net.gate(net.mean(image, "mean"), "se")
    for name, shape in (("one", (-1, C, 1)), ("two", (-1, C, 1, 1))):
        vector = net.node("ExpandDims", name, vector, net.const(f"{name}/dim", -1, "int32"), _output_shapes=shape)
    net.node("Mul", "mul", image, vector)
    assert "not laid along the channels" in doubt(net, tmp_path)


def test_values_may_be_passed_on(tmp_path: Path) -> None:
    net = frozen()
    image = net.node("Relu", "relu", net.image())
    other = net.node("Cast", "cast", net.node("StopGradient", "stop", image), DstT=1)
    net.node("Mul", "mul", net.node("IdentityN", "both", "input", image) + ":1", net.gate(net.mean(other, "m"), "se"))
    assert names(search(net, tmp_path)) == ["se"]


def test_a_transposed_kernel(tmp_path: Path) -> None:
    net = frozen()
    image = net.image()
    kernel = net.weights("se/first/kernel", (H, C))
    hidden = net.node("MatMul", "se/first/MatMul", net.mean(image, "mean"), kernel, transpose_b=True)
    hidden = net.node("Relu", "relu", hidden)
    perm = net.const("perm", (1, 0), "int32")
    kernel = net.node("Transpose", "turned", net.weights("se/second/kernel", (C, H)), perm)
    net.node("Mul", "mul", image, net.node("Sigmoid", "s", net.node("MatMul", "se/second/MatMul", hidden, kernel)))
    (block,) = search(net, tmp_path)
    np.testing.assert_array_equal(block.weights["reduce.weight"], weights("se/first/kernel", (H, C)))
    np.testing.assert_array_equal(block.weights["expand.weight"], weights("se/second/kernel", (C, H)))


def test_one_bias_only(tmp_path: Path) -> None:
    net = frozen()
    net.se(net.image(), "se", first_bias=False)
    assert "only one of the two layers has a bias" in doubt(net, tmp_path)


def test_a_sum_of_two_branches(tmp_path: Path) -> None:
    net = frozen()
    image = net.image()
    ends = [net.dense(net.mean(image, f"{k}/mean"), f"{k}/dense", (C, C)) for k in ("a", "b")]
    net.node("Mul", "mul", image, net.node("Sigmoid", "gate", net.node("AddV2", "sum", *ends)))
    assert "AddV2 ('sum'), which adds no stored bias" in doubt(net, tmp_path)


def test_gradients_are_no_blocks(tmp_path: Path) -> None:
    net = frozen()
    image = net.image()
    product = net.se(image, "se")
    net.node("Mul", "gradients/se/mul_grad/Mul", net.node("Fill", "gradients/Fill", product, product), "se/gate")
    net.node("Mul", "gradients/se/mul_grad/Mul_1", image, "gradients/Fill")
    net.node("Mul", "train/gradients_1/copy", image, net.node("Tanh", "gradients/t", "se/gate"))
    found = search(net, tmp_path)
    assert (names(found), found.undecided) == (["se"], ())


INDICES = {  # of g[...], with the axes where the channels of the image lie, and whether the gates lie there too
    "[:, None, None, :]": (0b0110, 0b1001, (1, 1, 1, 1), (1, 2), True),
    "[:, :, None, None]": (0b1100, 0b0011, (1, 1, 1, 1), (2, 3), True),
    "[:, None, :, None]": (0b1010, 0b0101, (1, 1, 1, 1), (1, 2), False),
    "[:, :, None, None] on channels last": (0b1100, 0b0011, (1, 1, 1, 1), (1, 2), False),
    "[:, None, None, ::-1]": (0b0110, 0b1001, (1, 1, 1, -1), (1, 2), False),
    "[:, None, None, 1:]": (0b0110, 0b0001, (1, 1, 1, 1), (1, 2), False),
}


@pytest.mark.parametrize("index", INDICES)
def test_gates_laid_out_by_an_index(tmp_path: Path, index: str) -> None:
    added, whole, strides, axes, found = INDICES[index]
    net = frozen()
    image = net.image(shape=(-1, 4, 4, C) if axes == (1, 2) else (-1, C, 4, 4))
    numbers = [net.const(f"index/{k}", v, "int32") for k, v in enumerate(((0,) * 4, (0,) * 4, strides))]
    gate = net.gate(net.mean(image, "mean", axes), "se")
    masks = {"begin_mask": whole, "end_mask": whole, "new_axis_mask": added}
    net.node("Mul", "mul", image, net.node("StridedSlice", "index", gate, *numbers, **masks))
    assert len(search(net, tmp_path)) == found
    assert bool(search(net, tmp_path).undecided) != found


@pytest.mark.parametrize("op", ["FakeQuantWithMinMaxArgs", "Neg", "SelectV2", "SomeOpOfTheFuture"])
def test_an_unknown_step_is_reported(tmp_path: Path, op: str) -> None:
    net = frozen()
    image = net.image()
    hidden = net.node(op, "step", net.node("Relu", "hidden", net.dense(net.mean(image, "mean"), "se/dense", (C, H))))
    gate = net.node("Sigmoid", "gate", net.dense(hidden, "se/dense_1", (H, C)))
    net.node("Mul", "mul", image, gate)
    assert doubt(net, tmp_path) == (
        "'mul' multiplies an image by something made from its pooled values, but the hidden activation is "
        f"{op} ('step'), not relu or swish."
    )


def test_parallel_blocks_come_in_the_order_in_which_they_were_built(tmp_path: Path) -> None:
    net = frozen()
    image = net.image()
    for number in (10, 2, 1):
        net.se(image, f"branch_{number}")
    net.se("branch_1/mul", "a")
    assert names(search(net, tmp_path)) == ["branch_10", "branch_2", "branch_1", "a"]


def test_sharing_one_layer(tmp_path: Path) -> None:
    net = frozen()
    image = net.image()
    net.se(image, "one")
    net.frozen = True
    vector = net.node("MatMul", "two/MatMul", net.mean(image, "two/mean"), "one/dense/kernel")
    vector = net.node("Relu", "two/relu", net.node("BiasAdd", "two/add", vector, "one/dense/bias"))
    net.node("Mul", "two/mul", image, net.node("Sigmoid", "two/gate", net.dense(vector, "two/dense", (H, C))))
    found = search(net, tmp_path)
    assert found[0].notes == (f"shares one/dense/kernel, one/dense/bias with {found[1].name!r}",)


def test_constants_of_other_types_disturb_nobody(tmp_path: Path) -> None:
    net = frozen()
    net.se(net.image(), "se")
    net.node("Mul", "fft", net.const("turn", 1j, "complex64"), "turn")
    assert names(search(net, tmp_path)) == ["se"]


def test_a_graph_whose_weights_are_elsewhere(tmp_path: Path) -> None:
    net = Net()
    net.se(net.image(), "se")
    assert "se/dense/kernel, se/dense/bias" in doubt(net, tmp_path)
    assert "are variables" in doubt(net, tmp_path)


def test_findings_are_an_immutable_sequence(tmp_path: Path) -> None:
    net = frozen()
    net.se(net.image(), "se")
    found = search(net, tmp_path)
    assert found[0] in found
    assert found[:] == (found[0],)
    assert hash(found) == hash(search(net, tmp_path))
    with pytest.raises(AttributeError):
        found.blocks = ()  # type: ignore[misc]


def test_integers_are_no_weights(tmp_path: Path) -> None:
    net = frozen()
    image = net.image()
    net.frozen = False
    first, second = net.const("a/kernel", np.ones((C, H)), "int32"), net.const("b/kernel", np.ones((H, C)), "int32")
    hidden = net.node("Relu", "relu", net.node("MatMul", "a/MatMul", net.mean(image, "mean"), first))
    net.node("Mul", "mul", image, net.node("Sigmoid", "gate", net.node("MatMul", "b/MatMul", hidden, second)))
    assert "floating-point" in doubt(net, tmp_path)
