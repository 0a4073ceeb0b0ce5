"""TensorFlow 1 networks as users hold them: training graphs, queues, SavedModels; each with default options.

The recordings were made by TensorFlow 1.15 from an inference graph of the same weights (`golden/tf1_cases`).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from runtimes import GOLDEN, in_keras, need
from tiers import sample

from attn_core.porting import recorded, recording_checks, whole_network
from attn_core.porting.network.inference import Options
from attn_core.porting.port import Port
from attn_core.porting.ported import imported
from attn_core.porting.proof import prove

CASES = GOLDEN / "tf1_cases"
TRAINING = {  # what the notes must say of each
    "bn_unfused_constant_train": "4 statistics of a batch gave way",
    "dalgu90_resnet18": "image: images; result: tower_0/logits/fc/BiasAdd",
    "estimator_se_train": "cut at the image 'IteratorGetNext'; before it stood: IteratorV2",
    "kobiso_slim_resnet_v1_50_cbam": "53 statistics of a batch gave way",
    "kobiso_slim_resnet_v1_se": "a training graph, set to inference",
    "seed_deep_unscoped": "a training graph, set to inference",
    "slim_resnet_v1_train": "took the moving averages of",
    "slim_resnet_v2_train_queue": "cut at the image 'fifo_queue_Dequeue'; before it stood: FIFOQueueV2",
    "taki_resnet18": "image: train_inputs; result: network/logit/dense/BiasAdd",
}
OTHERS = {
    "cond_nested_zero_debias": "phase = False, as outside of training",
    "estimator_se_savedmodel_examples": "cut at the image 'Reshape'",
    "format_float16": "image: input; result: Cast_1",
    "format_renamed": "4 variables have other names in the file",
    "keras_effnet_h5": "image: image; result: probs/Softmax",
    "keras_effnet_simple_save": "image: image; result: probs/Softmax",
    "nchw_placeholder": "image: input; result: out/BiasAdd",
    "bisenet_resize_bilinear": "image: inputs; result: logits/BiasAdd",
    "mobileunet_transpose_se": "image: inputs; result: logits/BiasAdd",
    "frozen_quantize_weights": "image: image; result: probabilities",
    "hand_group_norm": "image: x; result: logits/BiasAdd",
    "hand_minibatch_shape_misc": "image: x; result: logits/BiasAdd",
    "c3d": "image: images; result: add_2",
    "se_resnet_1d": "image: ecg; result: logits/BiasAdd",
    "slim_mobilenet_v3_small": "result: MobilenetV3/Predictions/Reshape_1",
    "taki_se_resnext_script": "result: final_fully_connected/dense/MatMul",
    "tf_unet": "image: x; result: output_map/Relu",
    "uint8_preprocess": "image: image_tensor; result: probs",
    "yolov3_heads": "a dictionary: conv_lbbox/BiasAdd, conv_mbbox/BiasAdd, conv_sbbox/BiasAdd, pred_lbbox/concat_2",
}
# Operations of `format_float16` that round: a cast, a mean, two layers with biases, a sigmoid, a product.
ROUNDED = 8
IN_ALL = (
    "bn_unfused_constant_train",
    "format_renamed",
    "hand_group_norm",
    "hand_minibatch_shape_misc",
    "se_resnet_1d",
    "tf_unet",
    "uint8_preprocess",
)
IN_TORCH = "test_case_becomes_torch"  # the layers of the others are in those of IN_ALL and in the forms of networks
# The same kinds of training graphs as others above, of many more layers.
LARGE = ("kobiso_slim_resnet_v1_50_cbam", "kobiso_slim_resnet_v1_se", "seed_deep_unscoped", "taki_se_resnext_script")
OF_ALL = sample(sorted({*TRAINING, *OTHERS}), IN_ALL.__contains__, IN_TORCH)
# Parameters that one step of training does not move: what reads them gives 0 on this image, a dead unit.
_GATE = {"reduce.weight", "reduce.bias", "expand.weight"}
STILL = {
    "bn_unfused_constant_train": {f"squeeze_excitation.{name}" for name in _GATE},
    "estimator_se_train": {f"block.0.squeeze_excitation.{name}" for name in _GATE},
    "estimator_se_savedmodel_examples": {f"block.0.squeeze_excitation.{name}" for name in _GATE},
    "frozen_quantize_weights": {f"block_12.dense.{name}" for name in _GATE},
}


def ported(case: str, target: str, out: Path) -> Port:
    """Port a case with default options, and prove it with its recording."""
    folder = CASES / case
    meta = json.loads((folder / "meta.json").read_text())
    path = folder if meta["file"] == "." else folder / meta["file"]
    port = whole_network.read(path, target, Options(), averages="--no-averages" not in meta["options"])
    arrays = recorded.arrays(folder / "io.npz")
    whole_network.write(port, out, lambda inside: prove(port, inside, arrays, tensorflow=False))
    return port


def compared(port: Port) -> list[tuple[str, float, bool]]:
    return [(check.what, min(check.absolute, check.relative), check.passed) for check in port.checks]


def equal(checks: list[tuple[str, float, bool]]) -> None:
    """Check that a recorded output was compared, and everything within the bound."""
    assert any("recorded output" in what for what, _, _ in checks)
    assert all(passed for _, _, passed in checks), checks


@pytest.mark.parametrize("case", sample([*TRAINING, *OTHERS], lambda case: case not in LARGE, IN_TORCH))
def test_case_becomes_torch(case: str, tmp_path: Path) -> None:
    need("torch")
    port = ported(case, "torch", tmp_path / "out")
    equal(compared(port))
    half = case == "format_float16"  # one unit of rounding for each of its operations that round
    assert port.witnessed == (ROUNDED * 2.0**-11 if half else 1e-5)
    said = (TRAINING | OTHERS)[case]
    assert any(said in note for note in port.notes), port.notes
    assert unmoved(tmp_path / "out" / "model.py", port, recorded.arrays(CASES / case / "io.npz")["input"]) == STILL.get(
        case, set()
    )


def unmoved(source: Path, port: Port, image: np.ndarray) -> set[str]:
    """Return the parameters that a step of gradient descent, outside of training, would not move: without a slope."""
    import torch

    network = imported(str(source)).load()
    x = torch.tensor(recording_checks.image_of(port, "input", image), dtype=torch.float32)
    output = network(x)
    heads = list(output.values()) if isinstance(output, dict) else [output]
    torch.manual_seed(0)
    sum((head * torch.randn_like(head)).sum() for head in heads).backward()
    return {name for name, each in network.named_parameters() if each.requires_grad and not each.grad.any()}


IN_LINEN = ("bn_unfused_constant_train", "se_resnet_1d")  # whose source has the functions of NNX's
IN_FLAX = [(target, case) for target in ("linen", "nnx") for case in sorted({*TRAINING, *OTHERS})]


def in_ordinary(run: tuple[str, str]) -> bool:
    target, case = run
    return case in (IN_LINEN if target == "linen" else IN_ALL)


@pytest.mark.parametrize(("target", "case"), sample(IN_FLAX, in_ordinary, IN_TORCH))
def test_case_becomes_flax(target: str, case: str, tmp_path: Path) -> None:
    need(target)
    equal(compared(ported(case, target, tmp_path / "out")))


@pytest.mark.parametrize("case", OF_ALL)
def test_case_becomes_keras(case: str, tmp_path: Path) -> None:
    need("keras-tensorflow")
    equal(in_keras("tensorflow", "test_tf1_cases", "in_process", case, tmp_path / "out"))


def in_process(case: str, out: Path) -> list[tuple[str, float, bool]]:
    """Port to Keras in its process; what is returned must travel."""
    return compared(ported(case, "keras", out))
