"""The blocks as their users wrote and ran them, judged by what their code computed.

Parity shows that the runtimes agree with each other; only these tests show that the mathematics is right.
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import runtimes
from blocks import CASES, OTHERS, RECORDINGS
from bounds import BIASED, RECORDED, TENSORFLOW_1
from bounds import RUNS as RUNTIMES
from compare import beyond, steps
from runtimes import FRAMEWORKS, GOLDEN, need, recipe
from tiers import ordinary_recording, sample

import attn_core as core
from attn_core import dialects, parity, reference, tf1
from attn_core.models.registry import KNOWN
from attn_core.parity import Outcome

MODES = [(folder, mode) for folder, recording in RECORDINGS.items() for mode in recording.modes]
RUNS = [(*run, *runtime) for run in MODES for runtime in RUNTIMES if RECORDINGS[run[0]].runs(*runtime)]


def fits(run: tuple[str, str]) -> bool:
    """Say whether the network is not so large that it takes gigabytes in float64."""
    return RECORDINGS[run[0]].block.parameters() < 100_000_000


@pytest.mark.parametrize(("folder", "mode"), sample(MODES, fits, "the same in torch, the other HybridSN here"))
def test_reference(folder: str, mode: str):
    """Outputs and statistics against PyTorch's float64; gradients, along random directions."""
    recording, train = RECORDINGS[folder], mode == "train"
    given = recording.given
    found = {"output": reference.evaluate(*given, train)}
    if train:
        found |= {f"stat:{name}": array for name, array in reference.statistics(*given).items()}
    found = recording.named(found)
    wanted = recording.recorded(mode)
    gradients = {name: wanted.pop(name) for name in list(wanted) if name.startswith("grad:")}
    assert {"output", *found} == {key.partition("#")[0] for key in wanted}
    assert not beyond(found, wanted, RECORDED["float64"])
    own = {name: f"inner.{name}" for name in recording.block.arrays()} if recording.gate else {}
    along = [{own.get(key, key): step} for key, step in steps(recording, gradients).items()]
    for each in along if len(along) < 10 else [{key: step for one in along for key, step in one.items()}]:
        slope = reference.slope(
            *given, recording.pull, {key: direction for key, (direction, _, _) in each.items()}, train
        )
        scale = math.sqrt(sum(squares * direction.size for direction, _, squares in each.values()))
        assert abs(slope - sum(slope for _, slope, _ in each.values())) <= RECORDED["float64"] * scale, list(each)


@pytest.mark.parametrize(("folder", "mode", "name", "dtype"), sample(RUNS, ordinary_recording, "the same in torch"))
def test_runtime(folder: str, mode: str, name: str, dtype: str):
    """Everything in float64; in float32, where one relu may flip between two orders of summation, no gradients."""
    recording, train = RECORDINGS[folder], mode == "train"
    cotangent = recording.pull if dtype == "float64" else None
    found = recording.named(runtimes.run(need(name), *recording.given, cotangent, dtype, train).arrays())
    wanted = recording.recorded(mode)
    assert {"output", "grad:input"} <= {key.partition("#")[0] for key in wanted}
    if dtype != "float64":
        wanted = {key: array for key, array in wanted.items() if not key.startswith("grad:")}
    if train and name in BIASED:
        moved = reference.statistics(recording.block, recording.weights, recording.inputs, unbiased=False)
        wanted = {key: array for key, array in wanted.items() if not key.startswith("stat:")}
        wanted |= {f"stat:{key}": array for key, array in moved.items()}
    assert not beyond(found, wanted, RECORDED[dtype])


def test_the_maximum_and_the_sum_of_scse_are_apart():
    """As far as its docstring says."""
    recording = RECORDINGS["official/aimed_scse"]
    largest = core.evaluate(*recording.given)
    added = core.evaluate(replace(recording.block, joined="sum"), recording.weights, recording.image)
    assert (round(abs(largest).max(), 1), round(abs(largest - added).max(), 1)) == (3.7, 4.2)


def test_aligned_corners_of_a_grid_of_gates_are_apart_from_others():
    """As far as its docstring says."""
    recording = RECORDINGS["official/oktay_grid_2d"]
    plain, aligned = (
        core.evaluate(replace(recording.block, align_corners=corners), recording.weights, recording.inputs)
        for corners in (False, True)
    )
    assert (round(abs(plain).max(), 1), round(abs(plain - aligned).max(), 1)) == (3.0, 0.4)


def strip_max(x: np.ndarray, size: tuple[int | None, ...]) -> np.ndarray:
    return x.max(tuple(2 + i for i, bins in enumerate(size) if bins is not None), keepdims=True)


def pool_max(x: np.ndarray, window: int, stride: int) -> np.ndarray:
    return reference.ops.windows(x, (window,) * (x.ndim - 2), stride, "symmetric").max(tuple(range(2 - x.ndim, 0)))


# A recording of each block that means anything, and the maximum that is taken in place of the mean.
MUTATIONS = {
    "torch/001_se_c64_r16": ("global_mean", reference.ops.global_max),
    "torch/001_channel_attention_c32_r16": ("global_mean", reference.ops.global_max),
    "torch/001_spatial_attention_k7": ("channel_mean", reference.ops.channel_max),
    "torch/001_cbam_c32_k7": ("channel_mean", reference.ops.channel_max),
    "torch/004_sa_c64_g8": ("global_mean", reference.ops.global_max),
    "official/spnet_spblock": ("adaptive_mean", strip_max),
    "official/res2net_bottle2neck_stage": ("mean_pool", pool_max),
}


@pytest.mark.parametrize("folder", MUTATIONS)
def test_wrong_mathematics_is_noticed(folder: str, monkeypatch: pytest.MonkeyPatch):
    """With the maximum for the mean, the runtimes would still agree with each other, but not with the recording."""
    recording, (mean, largest) = RECORDINGS[folder], MUTATIONS[folder]
    monkeypatch.setattr(reference.ops, mean, largest)
    found = recording.named({"output": reference.evaluate(*recording.given)})
    wanted = {"output": recording.recorded("eval")["output"]}
    assert beyond(found, wanted, 1000 * RECORDED["float32"])


def test_every_recorded_tensor_is_used():
    """What a recording holds and no test compares would be a gap."""
    for recording in RECORDINGS.values():
        meta, _ = recording.files
        theirs = {entry["name"] for entry in meta["state"] if not entry["name"].endswith("num_batches_tracked")}
        used = {recording.origins[name].key for name in recording.block.arrays()}
        assert used == theirs, recording.folder
        assert recording.modes == tuple(meta["modes"]), recording.folder


def test_recordings_are_all_used():
    """Every recorded class here is some block's recording."""
    others = {"torch/003_attention_block_p576_s19"}
    found = (path.parent for kind in ("official", "torch") for path in (GOLDEN / kind).glob("*/meta.json"))
    folders = {f"{folder.parent.name}/{folder.name}" for folder in found}
    assert folders == RECORDINGS.keys() | OTHERS | others


def test_every_block_has_cases():
    assert {type(case.block) for case in CASES.values()} == set(KNOWN.values())


def test_wide_block_of_seed_003():
    """576 channels, 36 hidden: too large to keep whole, so parts of the arrays were recorded."""
    folder = "torch/003_attention_block_p576_s19"
    meta, io = recipe().load(GOLDEN / folder)
    block, weights = dialects.read("seeds.Attention_Block", recipe().state(meta))
    assert block == core.SqueezeExcitation(576)
    output = reference.evaluate(block, weights, recipe().inputs(meta)[0])
    parts = {suffix: array for suffix, array in recipe().summary(output).items() if suffix != "#digest"}
    assert parts
    for suffix, array in parts.items():
        bound = 1e-6 if "#mean" in suffix else 1e-12  # means are stored in float32
        assert parity.error(array, io[f"f64/eval/output{suffix}"]) < bound


# ---- TensorFlow 1 ----------------------------------------------------------------------------------------------------

TF1 = {
    "se_block": ("se_block/model.ckpt", "se_block"),
    "se_block_frozen": ("se_block/frozen.pb", "se_block"),
    "se_block_v1": ("se_block_v1_format/model.ckpt", "se_block"),
    "se_block_saved_model": ("se_block_saved_model", "se_block"),
    "se_block_scoped_stack": ("se_block_scoped_stack/model.ckpt", "se_block_scoped_stack"),
    "res_block2_net": ("res_block2_net/model.ckpt-200", "res_block2_net"),
    "res_block2_net_frozen": ("res_block2_net/frozen.pb", "res_block2_net"),
}


def tf1_case(case: str) -> tuple[tf1.Findings, dict[str, np.ndarray]]:
    path, recording = TF1[case]
    with np.load(GOLDEN / "tf1" / recording / "io.npz") as io:
        return tf1.find_blocks(GOLDEN / "tf1" / path), dict(io)


def image(array: np.ndarray) -> np.ndarray:
    return np.moveaxis(array, -1, 1)


@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize("case", TF1)
def test_tensorflow_1(case: str, name: str):
    """Outputs and gates of every block in every file, in float32, against TensorFlow's own."""
    blocks, io = tf1_case(case)
    assert len(blocks) == sum(key.endswith("_gate") for key in io)
    for i, found in enumerate(blocks):
        outcome = runtimes.run(need(name), found.block, found.weights, image(io[f"se{i}_in"]))
        gate = io[f"se{i}_gate"]
        assert np.ptp(gate, axis=0).max() > 0.01, "gates that do not differ between samples prove nothing"
        assert np.abs(outcome.gates["channel"] - gate[:, 0, 0]).max() < TENSORFLOW_1["gate"]
        assert np.abs(outcome.output - image(io[f"se{i}_out"])).max() < TENSORFLOW_1["output"]


@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize(("case", "last"), [("se_block", 0), ("se_block_scoped_stack", 2)])
def test_tensorflow_1_gradients(case: str, last: int, name: str):
    """The block at the end of a network gets the recorded cotangent itself."""
    blocks, io = tf1_case(case)
    found = blocks[last]
    outcome = runtimes.run(need(name), found.block, found.weights, image(io[f"se{last}_in"]), image(io["cotangent"]))
    for ours, theirs in found.variables.items():
        wanted = io[f"grad:{theirs}"].T
        assert np.abs(outcome.gradients[ours] - wanted).max() < RECORDED["float32"] * np.abs(wanted).max(), ours
    if case == "se_block":
        assert np.abs(outcome.gradients["input"] - image(io["grad:input"])).max() < TENSORFLOW_1["output"]


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_tensorflow_1_one_pixel(name: str):
    blocks, io = tf1_case("se_block")
    outcome: Outcome = runtimes.run(need(name), blocks[0].block, blocks[0].weights, image(io["input_1x1"]))
    assert np.abs(outcome.output - image(io["output_1x1"])).max() < TENSORFLOW_1["output"]


def test_recipe_makes_the_recorded_tensors():
    """The hashes in the recordings are of the tensors that the recipe makes here."""
    module: ModuleType = recipe()
    for recording in RECORDINGS.values():
        meta, _ = recording.files
        state = module.state(meta)
        assert [module.sha(state[entry["name"]]) for entry in meta["state"]] == [e["sha256"] for e in meta["state"]]
        assert module.sha(module.inputs(meta)[0]) == meta["inputs"][0]["sha256"]
