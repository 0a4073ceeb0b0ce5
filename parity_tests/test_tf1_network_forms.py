"""Forms of networks in which TensorFlow 1 programs are written: each becomes source that computes the same."""

from __future__ import annotations

import ast
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtimes import GOLDEN, in_keras, need
from tensorboard.compat.proto import graph_pb2
from tiers import sample

import attn_core
from attn_core import tf1
from attn_core.porting import whole_network
from attn_core.porting.network.inference import Options
from attn_core.porting.port import Port, arrays_of
from attn_core.porting.proof import prove
from attn_core.porting.write.identifiers import RESERVED, class_name, identifier, plain

FORMS = (
    "cbam", "channels_alone", "pixels_alone", "two_perceptrons", "shuffles", "groups", "functions", "vectors",
    "integers", "separable", "channels_first", "softmax_of_pixels", "awkward_names", "resized", "transposed",
    "group_norms", "signals", "signals_of_channels_first", "dilated_signals", "dilated_volumes", "rows", "grey",
    "volumes", "flattened_volumes", "groups_of_rows",
    "old_versions", "functions_of_numbers", "entries", "hard_activations",
)  # fmt: skip
DETECTORS = (
    "yolo_of_meshgrids", "yolo_of_one_size", "yolo_of_shares", "ssd", "object_detection_api", "region_proposals",
)  # fmt: skip
ONE = "yolo_of_shares"  # a detector that has every step of the others
IN_ALL = (
    "cbam",
    "shuffles",
    "functions",
    "awkward_names",
    "resized",
    "transposed",
    "group_norms",
    "signals",
    "rows",
    "volumes",
)
LARGEST = {"float32": 1e-5, "float64": 1e-6, "gradient": 1e-6}
HOSTILE = [
    'a"""b',
    "a'b",
    "a\nb",
    "a\\",
    "ünï",
    "",
    "0",
    "a\0b",
    "a\u2028b",
    "{x}",
    "%s",
    "a/b:0",
    "__init__",
    "_modules",
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Any:
    need("keras-tensorflow")
    folders: dict[str, tuple[Path, dict[str, Any]]] = {}

    def get(form: str) -> tuple[Path, dict[str, Any]]:
        if form not in folders:
            folder = tmp_path_factory.mktemp(form)
            folders[form] = folder, in_keras("tensorflow", "tf1_network_forms", "save", form, folder)
        return folders[form]

    return get


def ported(saved: Any, form: str, target: str) -> Port:
    folder, recorded = saved(form)
    port = whole_network.read(folder / "model.ckpt", target, Options())
    whole_network.write(port, folder / target, lambda inside: prove(port, inside, recorded, False))
    return port


def judged(checks: list[tuple[str, float]]) -> None:
    for what, relative in checks:
        bound = next(bound for word, bound in LARGEST.items() if word in what or not what.startswith(("output", "rec")))
        assert relative < bound, (what, relative)


@pytest.mark.parametrize("form", [*FORMS, *DETECTORS])
def test_form_becomes_torch(saved: Any, form: str) -> None:
    need("torch")
    port = ported(saved, form, "torch")
    judged([(check.what, check.relative) for check in port.checks])
    tidy(saved(form)[0] / "torch" / "model.py")


# Linen's source has the functions of NNX's; its layers, and how names of theirs come about, are in these.
IN_LINEN = ("cbam", "awkward_names", "group_norms", "volumes")
IN_FLAX = [(target, form) for target in ("linen", "nnx") for form in (*IN_ALL, *DETECTORS)]


def in_ordinary(run: tuple[str, str]) -> bool:
    target, form = run
    return form in IN_LINEN if target == "linen" else form in IN_ALL or form == ONE


@pytest.mark.parametrize(("target", "form"), sample(IN_FLAX, in_ordinary, "the form in torch, others in this target"))
def test_form_becomes_flax(saved: Any, target: str, form: str) -> None:
    need(target)
    judged([(check.what, check.relative) for check in ported(saved, form, target).checks])
    tidy(saved(form)[0] / target / "model.py")


@pytest.mark.parametrize("form", [*IN_ALL, *sample(DETECTORS, ONE.__eq__, "test_form_becomes_torch")])
def test_form_becomes_keras(saved: Any, form: str) -> None:
    folder, recorded = saved(form)
    judged(in_keras("tensorflow", "tf1_network_forms", "keras_checks", folder, recorded))
    tidy(folder / "keras" / "model.py")


def tidy(source: Path) -> None:
    """Run the checks that a maintainer would."""
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--select", "E,F,I,B,UP"], ["format", "--check"]):
        done = subprocess.run(
            [*ruff, *command, "--isolated", "--line-length", "100", str(source)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def read(saved: Any, form: str) -> Port:
    return whole_network.read(saved(form)[0] / "model.ckpt", "torch", Options())


def blocks(port: Port) -> list[Any]:
    return [step.fields["block"] for step in port.network.steps if step.kind == "attention"]


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("cbam", [attn_core.CBAM(8, hidden=2, bias=True)] * 3),
        ("channels_alone", [attn_core.ChannelAttention(8, hidden=2, bias=True)]),
        ("pixels_alone", [attn_core.SpatialAttention()]),
        ("two_perceptrons", []),  # not the block: its weights differ
        ("shuffles", [attn_core.ChannelShuffle(8, 2)] * 2),
    ],
)
def test_blocks_are_found(saved: Any, form: str, found: list[Any]) -> None:
    assert blocks(read(saved, form)) == found


def test_blocks_are_found_without_porting(saved: Any) -> None:
    """`find_blocks` gives the blocks that a port writes, with and without the graph; nothing else is undecided."""
    folder, _ = saved("cbam")
    port = read(saved, "cbam")
    found = tf1.find_blocks(folder / "model.ckpt")
    assert [each.block for each in found] == [attn_core.CBAM(8, hidden=2, bias=True)] * 3
    assert not found.undecided
    for each, step in zip(found, (step for step in port.network.steps if step.kind == "attention"), strict=True):
        arrays = arrays_of(port, step)
        assert all(np.array_equal(arrays[name], array) for name, array in each.weights.items())
        assert list(each.weights) == list(arrays)


def test_blocks_have_their_scope(saved: Any) -> None:
    source = read(saved, "cbam").source
    assert "self.cbam = attn_torch.CBAM(8, hidden=2, bias=True)" in source
    assert "nn.Sequential(*(Unit() for _ in range(3)))" in source


def test_shared_gradients_are_told(saved: Any) -> None:
    """What `Max` does with ties and our layers do not; a network without maxima hears nothing of it."""
    (note,) = [note for note in read(saved, "cbam").network.notes if "`Max` shares its gradient" in note]
    assert "cbam" in note
    assert not any("Max" in note for note in read(saved, "groups").network.notes)


def test_slices_become_groups(saved: Any) -> None:
    assert "nn.Conv2d(8, 4, 3, padding=1, groups=2)" in read(saved, "groups").source


def test_groups_become_a_norm(saved: Any) -> None:
    kinds = [step.kind for step in read(saved, "group_norms").network.steps]
    assert kinds.count("group_norm") == 3
    source = read(saved, "group_norms").source
    assert "F.group_norm(x, 4, eps=0.001)" in source
    assert "F.group_norm(x, 2, eps=1e-05)" in source


def test_moments_of_rows_are_no_group_norm(saved: Any) -> None:
    kinds = [step.kind for step in read(saved, "groups_of_rows").network.steps]
    assert "group_norm" not in kinds
    assert kinds.count("reshape") == 2


def test_detectors_read_as_written(saved: Any) -> None:
    """Places are counted, sizes asked for, and what is no image keeps the order of the graph."""
    source = read(saved, "yolo_of_shares").source
    assert ".permute(0, 2, 3, 1).unflatten(3, (3, 7))" in source
    assert re.search(r"= grid\(\w+, 2\)\n", source)
    assert "sizes(" in source


def test_hard_activations_are_one_step(saved: Any) -> None:
    source = read(saved, "hard_activations").source
    assert [source.count(f"{each}(") for each in ("F.hardswish", "F.hardsigmoid")] == [2, 1]
    assert "hard_swish(self.third(x), 0.16667)" in source
    assert "ResidualBlock" not in source


def test_results_of_one_layer_are_all_there(saved: Any) -> None:
    """Boxes and scores are made of the same layers: neither is left out."""
    port = read(saved, "yolo_of_meshgrids")
    assert [ref.node for ref in port.network.inference.heads.values()] == ["concat_4", "concat_5"]


def test_halves_become_chunks(saved: Any) -> None:
    assert "x.chunk(2, 1)[0]" in read(saved, "shuffles").source


def test_separable_convolution_is_a_class(saved: Any) -> None:
    source = read(saved, "separable").source
    assert "class Separable(nn.Module):" in source
    assert "self.depthwise = " in source
    assert "self.pointwise = " in source


def test_unfused_norm_of_channels_first_is_a_norm(saved: Any) -> None:
    assert [step.kind for step in read(saved, "channels_first").network.steps] == ["conv", "norm", "relu", "mean"]


def test_vector_becomes_an_image(saved: Any) -> None:
    assert "x.unflatten(1, (1, 12, 10))" in read(saved, "vectors").source


def test_reshaped_pixel_is_left_a_vector(saved: Any) -> None:
    assert "[:, :, None, None]" not in read(saved, "softmax_of_pixels").source


def test_flat_result_is_told(saved: Any) -> None:
    need("torch")
    said = "the result hardly depends on these images, which proves little; --output takes an earlier one"
    assert said in ported(saved, "saturated", "torch").notes
    assert said not in ported(saved, "separable", "torch").notes


# ---- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*HOSTILE, *sorted(RESERVED), "class", "None", "lambda"])
def test_names_are_identifiers(text: str) -> None:
    name = identifier(text)
    assert name.isidentifier()
    assert name.isascii()
    assert name not in RESERVED
    assert ast.parse(f"self.{name} = 1")
    assert not class_name(text) or class_name(text).isidentifier()


@pytest.mark.parametrize("text", HOSTILE)
def test_docstrings_stay_docstrings(text: str) -> None:
    module = ast.parse(f'class A:\n    """{plain(text)} and 1 more like it."""\n')
    assert isinstance(module.body[0], ast.ClassDef)
    assert len(module.body[0].body) == 1


# ---- damage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["separable", "slim_resnet_v1", "se_resnet"])
def test_rewired_graphs_are_refused_or_ported(case: str, tmp_path: Path) -> None:
    """Nothing but the errors of a bad file leaves `read`, whatever the nodes read."""
    whole = (GOLDEN / "tf1_networks" / case / "frozen.pb").read_bytes()
    for seed in range(25):
        graph = graph_pb2.GraphDef.FromString(whole)
        rewire(graph, random.Random(seed))
        (tmp_path / "frozen.pb").write_bytes(graph.SerializeToString())
        try:
            port = whole_network.read(tmp_path / "frozen.pb", "torch", Options(), allow_unknown=True)
        except (ValueError, OSError):
            continue
        assert ast.parse(port.source)


def rewire(graph: Any, rng: random.Random) -> None:
    for _ in range(3):
        node, other = rng.choice(graph.node), rng.choice(graph.node)
        change = rng.randrange(4)
        if change == 0 and node.input:
            node.input[rng.randrange(len(node.input))] = other.name
        elif change == 1 and node.input:
            del node.input[rng.randrange(len(node.input))]
        elif change == 2:
            node.op = other.op
        elif node.attr:
            del node.attr[rng.choice(sorted(node.attr))]


def test_nodes_without_inputs_are_named(tmp_path: Path) -> None:
    graph = graph_pb2.GraphDef()
    graph.node.add(name="x", op="Placeholder").attr["dtype"].type = 1
    graph.node.add(name="same", op="Identity")
    graph.versions.producer = 134
    path = tmp_path / "frozen.pb"
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(ValueError, match=r"is damaged: 'same' \(Identity\) lacks inputs\.$"):
        whole_network.read(path, "torch", Options())


def test_images_without_end_are_refused(tmp_path: Path) -> None:
    whole = (GOLDEN / "tf1_networks" / "two_towers" / "frozen.pb").read_bytes()
    graph = graph_pb2.GraphDef.FromString(whole)
    node = next(node for node in graph.node if node.name == "input")
    node.attr["shape"].shape.dim[1].size = 2**40
    (tmp_path / "frozen.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(ValueError, match="are too large to run the graph on"):
        whole_network.read(tmp_path / "frozen.pb", "torch", Options())


def test_integer_image_carries_its_slope(saved: Any) -> None:
    port = read(saved, "integers")
    assert all(np.isfinite(truth.slope) and truth.slope != 0 for truth in port.truths)
