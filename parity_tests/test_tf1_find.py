"""Finding SE blocks in TensorFlow 1 files: the recordings of TensorFlow 1.15, and nets that no recording shows."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtimes import GOLDEN
from tf1_nets import AVERAGE, names

from attn_core import SqueezeExcitation
from attn_core.porting.tf1 import FoundBlock, find_blocks, read_checkpoint

TF1 = GOLDEN / "tf1"
ORIGINAL = {"se_block": "model.ckpt", "se_block_scoped_stack": "model.ckpt", "res_block2_net": "model.ckpt-200"}
CASES = sorted(p.name for p in (GOLDEN / "tf1_blocks").iterdir() if (p / "meta.json").is_file())


def same_weights(first: FoundBlock, second: FoundBlock) -> None:
    assert first.weights.keys() == second.weights.keys()
    for name, array in first.weights.items():
        assert array.dtype == second.weights[name].dtype
        assert array.tobytes() == second.weights[name].tobytes(), name


def without_graph(prefix: Path, folder: Path) -> Path:
    """Copy a checkpoint without its .meta."""
    for file in prefix.parent.glob(f"{prefix.name}*"):
        if file.suffix != ".meta":
            shutil.copy(file, folder)
    return folder / prefix.name


# The oracle: plain NumPy, from what was found to what TensorFlow recorded


def gate(block: FoundBlock, image: np.ndarray, layout: str = "NHWC") -> np.ndarray:
    w = {name: array.astype(np.float64) for name, array in block.weights.items()}
    pooled = image.astype(np.float64).mean(axis=(1, 2) if layout == "NHWC" else (2, 3))
    hidden = pooled @ w["reduce.weight"].T + w.get("reduce.bias", 0.0)
    swish = block.block.activation == "silu"
    hidden = hidden / (1 + np.exp(-hidden)) if swish else np.maximum(hidden, 0)
    assert np.abs(hidden).max() > 0.05, "no hidden unit fires: the kernels are not tested"
    logits = hidden @ w["expand.weight"].T + w.get("expand.bias", 0.0)
    hard = block.block.gate == "hard_sigmoid"
    sixth = 0.16667 if "0.16667" in "".join(block.notes) else 1 / 6
    return np.clip(logits + 3, 0, 6) * sixth if hard else 1 / (1 + np.exp(-logits))


def agrees(block: FoundBlock, io: Any, number: int, layout: str = "NHWC") -> None:
    recorded = io[f"se{number}_gate"]
    mine = gate(block, io[f"se{number}_in"], layout).reshape(recorded.shape)
    assert np.abs(mine - recorded).max() < 1e-5
    assert np.abs(recorded[0] - recorded[-1]).max() > 0.01, "the gates do not depend on the input"


# The original se_block


def expected_names(blocks: list[dict[str, Any]]) -> list[str]:
    first = [block["reduce"]["kernel"].removesuffix("/kernel") for block in blocks]
    return [name.rpartition("/")[0] or name for name in first]


@pytest.mark.parametrize("form", ["meta", "names", "frozen"])
@pytest.mark.parametrize("case", ORIGINAL)
def test_the_original_networks(case: str, form: str, tmp_path: Path) -> None:
    expected = json.loads((TF1 / case / "meta.json").read_text())["blocks"]
    prefix = TF1 / case / ORIGINAL[case]
    path = {"meta": prefix, "names": without_graph(prefix, tmp_path), "frozen": TF1 / case / "frozen.pb"}[form]
    found = find_blocks(path)
    assert found.undecided == ()
    assert names(found) == expected_names(expected)
    held = read_checkpoint(prefix)
    for number, (block, truth) in enumerate(zip(found, expected, strict=True)):
        assert block.block == SqueezeExcitation(truth["channels"], hidden=truth["hidden"])
        kernels = {f"{role}.weight": truth[role]["kernel"] for role in ("reduce", "expand")}
        biases = {f"{role}.bias": truth[role]["bias"] for role in ("reduce", "expand")}
        assert block.variables == kernels | biases
        for role, name in block.variables.items():
            assert block.weights[role].dtype == np.float32
            assert block.weights[role].flags.c_contiguous
            assert block.weights[role].flags.writeable
            np.testing.assert_array_equal(block.weights[role].T, held[name])
        with np.load(TF1 / case / "io.npz", allow_pickle=False) as io:
            agrees(block, io, number)
        assert bool(block.notes) == (form == "names")


def test_four_formats_give_the_same_bits(tmp_path: Path) -> None:
    paths = ["se_block/model.ckpt", "se_block/frozen.pb", "se_block_v1_format/model.ckpt", "se_block_saved_model"]
    found = [find_blocks(TF1 / path) for path in paths]
    assert [each.source for each in found] == [
        "checkpoint with graph model.ckpt.meta",
        "frozen graph frozen.pb",
        "checkpoint with graph model.ckpt.meta",
        "SavedModel with graph saved_model.pb (tags: serve)",
    ]
    plain = [tmp_path / name for name in ("v1", "v2")]
    for folder, case in zip(plain, ("se_block_v1_format", "se_block"), strict=True):
        folder.mkdir()
        found.append(find_blocks(without_graph(TF1 / case / "model.ckpt", folder)))
    for each in found:
        assert names(each) == ["dense"]
        same_weights(each[0], found[0][0])
        assert each[0].variables == found[0][0].variables


@pytest.mark.parametrize(
    "path", ["se_block/model.ckpt.index", "se_block/model.ckpt.meta", "se_block", "se_block_saved_model/saved_model.pb"]
)
def test_other_ways_to_name_a_file(path: str) -> None:
    same_weights(find_blocks(TF1 / path)[0], find_blocks(str(TF1 / "se_block" / "model.ckpt"))[0])


def test_leftovers_and_slots_are_listed(tmp_path: Path) -> None:
    found = find_blocks(without_graph(TF1 / "res_block2_net" / "model.ckpt-200", tmp_path))
    assert found.source == "checkpoint, names and shapes only"
    slots, left = found.notes
    assert left.startswith("left over")
    assert "dense_8/kernel" in left
    assert slots.endswith(" 127 (Adam, Adam_1, beta1_power, beta2_power, global_step)")
    assert all("relu, sigmoid and the product" in block.notes[0] for block in found)


# Everything else that TensorFlow 1 writes


def expected_blocks(case: str) -> tuple[list[dict[str, Any]], list[str]]:
    meta = json.loads((GOLDEN / "tf1_blocks" / case / "meta.json").read_text())
    for number, block in enumerate(meta["blocks"]):
        block["number"] = number
    return meta["blocks"], meta["undecided"]


@pytest.mark.parametrize("form", ["model.ckpt", "frozen.pb"])
@pytest.mark.parametrize("case", CASES)
def test_recorded_blocks(case: str, form: str) -> None:
    expected, undecided = expected_blocks(case)
    frozen_graph = form == "frozen.pb"
    expected = [block for block in expected if not (frozen_graph and block.get("frozen"))]
    found = find_blocks(GOLDEN / "tf1_blocks" / case / form)
    by_name = {block.name: block for block in found}
    assert len(by_name) == len(found)
    assert by_name.keys() == {block["name"] for block in expected}
    for truth in expected:
        block = by_name[truth["name"]]
        shadows = AVERAGE if truth.get("shadows") and not frozen_graph else ""
        assert block.variables == {role: name + shadows for role, name in truth["variables"].items()}
        for field in ("bias", "activation", "gate"):
            assert getattr(block.block, field) == truth[field]
        if truth["recorded"] and not shadows:
            with np.load(GOLDEN / "tf1_blocks" / case / "io.npz", allow_pickle=False) as io:
                agrees(block, io, truth["number"], truth["layout"])
    for scope in undecided:
        assert sum(sentence.startswith(f"'{scope}/") for sentence in found.undecided) == 1, scope
    missing = frozen_graph and case == "one_by_one"
    assert len(found.undecided) == len(undecided) + missing


@pytest.mark.parametrize("case", [case for case in CASES if case not in ("decoys", "shared_towers")])
def test_recorded_blocks_by_names(case: str, tmp_path: Path) -> None:
    expected, _ = expected_blocks(case)
    found = find_blocks(without_graph(GOLDEN / "tf1_blocks" / case / "model.ckpt", tmp_path))
    assert sorted(names(found)) == sorted(block["name"] for block in expected)
    with_graph = {block.name: block for block in find_blocks(GOLDEN / "tf1_blocks" / case / "model.ckpt")}
    for block in found:
        same_weights(block, with_graph[block.name])
        assert "no graph" in block.notes[0]


def test_names_past_ten_stay_in_the_networks_order(tmp_path: Path) -> None:
    prefix = GOLDEN / "tf1_blocks" / "unscoped_stack" / "model.ckpt"
    order = ["dense", "dense_2", "dense_4", "dense_6", "dense_8", "dense_10", "dense_12"]
    assert names(find_blocks(prefix)) == order
    found = find_blocks(without_graph(prefix, tmp_path))
    assert names(found) == order
    assert "in a row" in found.undecided[0]
    assert "conv2d_6/kernel" in found.undecided[0]


def test_towers_share_and_say_so() -> None:
    found = find_blocks(GOLDEN / "tf1_blocks" / "shared_towers" / "model.ckpt")
    assert names(found) == ["stage1/se", "stage2/dense", "stage1/se#2", "stage2/dense#2"]
    assert found[0].notes == ("shares all its variables with 'stage1/se#2'",)
    assert found[2].notes == ("shares all its variables with 'stage1/se'",)
    same_weights(found[0], found[2])


def test_moving_averages_are_taken_unless_refused() -> None:
    prefix = GOLDEN / "tf1_blocks" / "training_graph" / "model.ckpt"
    averaged, raw = find_blocks(prefix), find_blocks(prefix, averages=False)
    held = read_checkpoint(prefix)
    with np.load(prefix.parent / "io.npz", allow_pickle=False) as io:
        for first, second in zip(averaged, raw, strict=True):
            for role, name in first.variables.items():
                np.testing.assert_array_equal(first.weights[role].T, io[f"variable:{name}"])
                assert second.variables[role] + AVERAGE == name
                np.testing.assert_array_equal(second.weights[role].T, held[second.variables[role]])
            assert first.notes[0].startswith("took the moving averages: ")
            assert "averages=False" in second.notes[0]
            assert not np.array_equal(first.weights["reduce.weight"], second.weights["reduce.weight"])
        for number, block in enumerate(raw):
            agrees(block, io, number)


def test_a_gate_that_is_not_quite_one_sixth_is_noted() -> None:
    found = find_blocks(GOLDEN / "tf1_blocks" / "swish_and_hard_gates" / "model.ckpt")
    assert [bool(block.notes) for block in found] == [False, False, False, True]
    assert "0.16667" in found[3].notes[0]


def test_decoys_say_why() -> None:
    sentences = " ".join(find_blocks(GOLDEN / "tf1_blocks" / "decoys" / "frozen.pb").undecided)
    for reason in ("0.2 x + 0.5", "Relu6 ('relu6/", "Tanh ('tanh/", "Max ('max_pool/", "does not multiply that image"):
        assert reason in sentences
    for innocent in ("mlp/", "spatial/", "moments"):
        assert innocent not in sentences
