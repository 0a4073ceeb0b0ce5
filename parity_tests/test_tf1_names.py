"""Finding SE and CBAM blocks where graph and checkpoint disagree, and by names and shapes alone."""

from pathlib import Path

import numpy as np
import pytest
from tf1_nets import AVERAGE, C, H, Net, frozen, names, saved_model, se_shapes, weights, write_checkpoint

from attn_core.blocks import CBAM
from attn_core.porting.find.by_name import pairs
from attn_core.porting.find.variables import catalogue
from attn_core.porting.graph.graph import read_graph
from attn_core.porting.tf1 import CheckpointError, Findings, find_blocks

# A graph and a checkpoint that do not agree


def beside(net: Net, shapes: dict[str, tuple[int, ...]], tmp_path: Path) -> Findings:
    net.write(tmp_path / "model.ckpt.meta")
    return find_blocks(write_checkpoint(tmp_path / "model.ckpt", shapes))


def se_net() -> Net:
    net = Net()
    net.se(net.image(), "se")
    return net


def test_graph_and_checkpoint_agree(tmp_path: Path) -> None:
    found = beside(se_net(), se_shapes("se"), tmp_path)
    assert names(found) == ["se"]
    np.testing.assert_array_equal(found[0].weights["expand.bias"], weights("se/dense_1/bias", (C,)))


def test_a_variable_is_missing(tmp_path: Path) -> None:
    shapes = se_shapes("se")
    del shapes["se/dense_1/bias"]
    found = beside(se_net(), shapes, tmp_path)
    assert (len(found), len(found.undecided)) == (0, 1)
    assert "does not hold se/dense_1/bias" in found.undecided[0]


def test_a_variable_has_another_shape(tmp_path: Path) -> None:
    found = beside(se_net(), {**se_shapes("se"), "se/dense/kernel": (C, H + 1)}, tmp_path)
    assert len(found) == 0
    assert f"[{C}, {H + 1}] in the checkpoint and [{C}, {H}] in the graph" in found.undecided[0]


def test_some_moving_averages(tmp_path: Path) -> None:
    shapes = {**se_shapes("se"), f"se/dense/kernel{AVERAGE}": (C, H)}
    (block,) = beside(se_net(), shapes, tmp_path)
    assert block.variables["reduce.weight"] == "se/dense/kernel"
    assert "not all variables have them" in block.notes[0]


@pytest.mark.parametrize("prefix", ["", "train/"])
def test_nothing_but_moving_averages(tmp_path: Path, prefix: str) -> None:
    raw = se_shapes("se")
    shapes = {prefix + name + AVERAGE: shape for name, shape in raw.items()} | (raw if prefix else {})
    (block,) = beside(se_net(), shapes, tmp_path)
    assert block.variables["reduce.bias"] == f"{prefix}se/dense/bias{AVERAGE}"
    refused = find_blocks(tmp_path / "model.ckpt", averages=False)
    assert len(refused) == bool(prefix)
    assert all("only the moving averages" in sentence for sentence in refused.undecided)


def test_a_damaged_graph_is_no_reason_to_guess(tmp_path: Path) -> None:
    prefix = write_checkpoint(tmp_path / "model.ckpt", se_shapes("se"))
    assert len(find_blocks(prefix)) == 1
    (tmp_path / "model.ckpt.meta").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=r"model\.ckpt\.meta is damaged .* Remove or rename it"):
        find_blocks(prefix)


def test_a_network_in_functions_is_searched_by_names(tmp_path: Path) -> None:
    """A loop's function has no place of its own in the graph, as those of calls and conditions have."""
    net = Net()
    net.node("StatelessWhile", "loop", net.image())
    net.definition.library.function.add().signature.name = "inference"
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(saved_model({"serve": net}).SerializeToString())
    attribute = "/.ATTRIBUTES/VARIABLE_VALUE"
    shapes = {name + attribute: shape for name, shape in se_shapes("net/se").items()}
    write_checkpoint(tmp_path / "variables" / "variables", {**shapes, "save_counter" + attribute: ()})
    found = find_blocks(tmp_path)
    assert names(found) == ["net/se"]
    assert found[0].variables["reduce.weight"] == f"net/se/dense/kernel{attribute}"
    assert found.source == "SavedModel, names and shapes only"
    assert any("keeps a part of its network in functions" in note for note in found.notes)
    assert read_graph(tmp_path / "saved_model.pb").functions == {"inference"}


def test_a_saved_model_without_variables(tmp_path: Path) -> None:
    net = frozen()
    net.se(net.image(), "se")
    (tmp_path / "saved_model.pb").write_bytes(saved_model({"serve": net}).SerializeToString())
    assert names(find_blocks(tmp_path)) == ["se"]


@pytest.mark.parametrize("name", ["nothing", "nothing.pb", "nothing/saved_model.pb"])
def test_nothing_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        find_blocks(tmp_path / name)


# Names and shapes alone


def by_names(shapes: dict[str, tuple[int, ...]]) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    blocks, doubts, rest = pairs(catalogue(shapes).weights)
    return [(b.reduce.kernel.stored.name, b.expand.kernel.stored.name) for b in blocks], doubts, rest


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("dense/kernel", "dense_1/kernel"),
        ("dense_9/kernel", "dense_10/kernel"),
        ("a/fc1/weights", "a/fc2/weights"),
        ("a/w1", "a/w2"),
        ("a/fc1_w", "a/fc2_w"),
        ("block1a_se_reduce/kernel", "block1a_se_expand/kernel"),
        ("a/squeeze/kernel", "a/excitation/kernel"),
        ("down/w", "up/w"),
        ("a/se/first/kernel", "a/se/other/kernel"),
    ],
)
def test_pairs_of_names(first: str, second: str) -> None:
    assert by_names({second: (2, 8), first: (8, 2)}) == ([(first, second)], [], [])


def test_square_kernels() -> None:
    square = {f"dense_{k}/kernel": (8, 8) for k in (1, 2)}
    assert by_names(square)[0] == [("dense_1/kernel", "dense_2/kernel")]
    found, doubts, rest = by_names({**square, "dense_3/kernel": (8, 8)})
    assert (found, rest) == ([], [])
    assert "more than one way" in doubts[0]


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"dense/bias": (2,)}, "only one of the two has a bias"),
        ({"dense/bias": (2,), "dense_1/bias": (7,)}, "dense_1/bias has the shape [7]"),
    ],
)
def test_biases_that_do_not_fit(extra: dict[str, tuple[int, ...]], words: str) -> None:
    found, doubts, _ = by_names({"dense/kernel": (8, 2), "dense_1/kernel": (2, 8), **extra})
    assert found == []
    assert words in doubts[0]


def test_convolutions_need_more_than_shapes() -> None:
    conv = {"conv2d/kernel": (1, 1, 8, 2), "conv2d_1/kernel": (1, 1, 2, 8)}
    found, doubts, _ = by_names(conv)
    assert found == []
    assert "bottlenecks" in doubts[0]
    assert len(by_names({f"unit/{name}": shape for name, shape in conv.items()})[0]) == 1
    assert len(by_names({f"unit/{name}": shape for name, shape in conv.items()} | {"unit/gamma": (8,)})[0]) == 0
    assert len(by_names({f"se/{name}": shape for name, shape in conv.items()} | {"se/gamma": (8,)})[0]) == 1


def test_a_convolution_between_separates() -> None:
    bottleneck = {"conv1/weights": (1, 1, 8, 2), "conv2/weights": (3, 3, 2, 2), "conv3/weights": (1, 1, 2, 8)}
    found, doubts, rest = by_names(bottleneck)
    assert (found, doubts) == ([], [])
    assert rest == ["conv1/weights", "conv3/weights"]


def test_names_that_say_nothing_are_left_over() -> None:
    odd = {"Variable": (8, 2), "Variable_1": (2, 8), "a/kernel": (8, 2), "a/w": (8, 2), "a/conv/kernel": (3, 3, 8, 2)}
    assert by_names(odd | {"b": (7,)}) == ([], [], ["Variable", "Variable_1", "a/kernel", "a/w"])


def test_layers_that_widen_are_no_block() -> None:
    assert by_names({"dense/kernel": (2, 8), "dense_1/kernel": (8, 2)})[0] == []


def test_what_is_no_weight() -> None:
    slots = ["Adam", "Adam_1", "Momentum", "RMSProp", "RMSProp_1", "Adagrad", "Ftrl", "Ftrl_1", "custom"]
    shapes: dict[str, tuple[int, ...]] = {"dense/kernel": (8, 2), f"dense/kernel{AVERAGE}": (8, 2)}
    shapes |= {f"dense/kernel/{slot}": (8, 2) for slot in slots}
    shapes["training/Nadam/dense/kernel/m"] = (8, 2)
    others = ["beta1_power", "global_step", f"dense/kernel{AVERAGE}/biased", "m/local_step", "d/.OPTIMIZER_SLOT/o/m"]
    known = catalogue(shapes | dict.fromkeys(others, ()))
    assert known.weights == {"dense/kernel": (8, 2)}
    assert known.averages == {"dense/kernel": f"dense/kernel{AVERAGE}"}
    assert len(known.aside) == len(slots) + len(others) + 1


def test_scopes_come_in_natural_order(tmp_path: Path) -> None:
    shapes: dict[str, tuple[int, ...]] = {}
    for number in (10, 1, 2):
        shapes |= se_shapes(f"stage_{number}/se")
    found = find_blocks(write_checkpoint(tmp_path / "model.ckpt", shapes))
    assert names(found) == ["stage_1/se", "stage_2/se", "stage_10/se"]


# Blocks with more than the two layers


def cbam_shapes(scope: str = "unit/cbam", **more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the variables of a perceptron and a convolution of two planes, in scopes of their own."""
    shapes = {f"{scope}/ch/mlp_0/kernel": (C, H), f"{scope}/ch/mlp_0/bias": (H,)}
    shapes |= {f"{scope}/ch/mlp_1/kernel": (H, C), f"{scope}/ch/mlp_1/bias": (C,)}
    return (
        shapes | {f"{scope}/sp/conv/kernel": (7, 7, 2, 1)} | {f"{scope}/{name}": shape for name, shape in more.items()}
    )


def test_cbam_by_names(tmp_path: Path) -> None:
    shapes = cbam_shapes("a/cbam") | cbam_shapes("b/cbam", **{"sp/conv/bias": (1,)})
    first, second = find_blocks(write_checkpoint(tmp_path / "model.ckpt", shapes))
    assert (first.name, second.name) == ("a/cbam", "b/cbam")
    assert first.block == CBAM(C, hidden=H, bias=True)
    assert second.block == CBAM(C, hidden=H, bias=True, spatial_bias=True)
    kernel = weights("a/cbam/sp/conv/kernel", (7, 7, 2, 1))
    np.testing.assert_array_equal(first.weights["spatial.conv.weight"], kernel.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(first.weights["channel.reduce.weight"], weights("a/cbam/ch/mlp_0/kernel", (C, H)).T)
    assert "means are the first plane" in first.notes[0]


def test_cbam_of_convolutions(tmp_path: Path) -> None:
    """Two 1x1 convolutions that might be a bottleneck's, but for what stands beside them alone."""
    shapes = {"cbam/ch/w0": (1, 1, C, H), "cbam/ch/w1": (1, 1, H, C), "cbam/sp/w": (3, 3, 2, 1)}
    (block,) = find_blocks(write_checkpoint(tmp_path / "model.ckpt", shapes))
    assert block.block == CBAM(C, kernel=3, hidden=H)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sp/other/kernel": (7, 7, 2, 1)}, "does not show to which block it belongs"),
        ({"sp/norm/gamma": (1,)}, "which CBAM does not have"),
        ({"sp/conv/kernel": (1, 1, C, 1)}, "as the spatial half of scSE does"),
        ({"sp/conv/kernel": (7, 5, 2, 1)}, "makes one plane of the image"),
    ],
)
def test_neighbours_leave_nothing_unexplained(tmp_path: Path, more: dict[str, tuple[int, ...]], words: str) -> None:
    found = find_blocks(write_checkpoint(tmp_path / "model.ckpt", cbam_shapes(**more)))
    assert (len(found), len(found.undecided)) == (0, 1)
    assert words in found.undecided[0]


def test_planes_of_another_scope_are_no_neighbours(tmp_path: Path) -> None:
    shapes = se_shapes("body/unit/se") | {"head/conv/kernel": (1, 1, C, 1)}
    assert names(find_blocks(write_checkpoint(tmp_path / "model.ckpt", shapes))) == ["body/unit/se"]
