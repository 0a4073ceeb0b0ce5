"""Dialects: without loss in both directions, proven by recordings, and one clear sentence where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blocks import EXPRESSIBLE, OTHERS, RECORDINGS
from bounds import RECORDED
from dialect_cases import CAM, CBAM, GC, LISTED, NL, RES, SA, SAM, SE, same, weights_of
from runtimes import GOLDEN, in_keras, need, recipe

import attn_core as core
from attn_core import dialects, parity, reference, tf1
from attn_core.weights.dialects import DialectError, InexpressibleError
from attn_core.weights.dialects.perceptron import DOUBT


def refusal(call: Any, *args: Any, kind: type[Exception] = DialectError, **options: Any) -> str:
    with pytest.raises(kind) as caught:
        call(*args, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", "'"))
    return sentence


# ---- both directions -------------------------------------------------------------------------------------------------


def test_every_dialect_has_examples_and_says_where_it_is_from():
    assert dialects.names() == sorted(EXPRESSIBLE)
    for name in dialects.names():
        dialect = dialects.get(name)
        assert dialect.definition
        assert dialect.differs.endswith(".")
        assert all(isinstance(block, dialect.block) for block, _ in EXPRESSIBLE[name])


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(("name", "example"), LISTED)
def test_round_trip_is_exact(name: str, example: int, dtype: str):
    block, options = EXPRESSIBLE[name][example]
    weights = weights_of(block, dtype)
    weights |= {array: np.zeros_like(weights[array]) for array in dialects.get(name).absent(block)}
    state = dialects.write(name, block, weights)
    assert {array.dtype for key, array in state.items() if not key.endswith("num_batches_tracked")} == {np.dtype(dtype)}
    found, own = dialects.read(name, state, **options)
    assert found == block
    assert same(own, weights)
    assert same(dialects.write(name, found, own), state)


@pytest.mark.parametrize(("name", "example"), LISTED)
def test_prefixes_are_found(name: str, example: int):
    """Beside a copy of the block at another place, and a layer that is none of its."""
    block, options = EXPRESSIBLE[name][example]
    boundary, called = dialects.get(name).boundary[0], dialects.get(name).called
    weights = [weights_of(block, seed=seed) for seed in (1, 2)]
    for own in weights:
        own |= {array: np.zeros_like(own[array]) for array in dialects.get(name).absent(block)}
    prefixes = [f"net{boundary}{called or 'a'}{boundary}", f"net{boundary}b{boundary}{called and called + boundary}"]
    state = {"head.weight": np.zeros((3, 3))}
    for prefix, own in zip(prefixes, weights, strict=True):
        state |= dialects.write(name, block, own, prefix)
    found = dialects.read_all(name, state, **options)
    assert list(found) == prefixes
    for prefix, own in zip(prefixes, weights, strict=True):
        assert found[prefix][0] == block
        assert same(found[prefix][1], own)
        assert same(dialects.read(name, state, prefix=prefix[:-1], **options)[1], own)
    listed = ", ".join(map(repr, prefixes))
    assert refusal(dialects.read, name, state, **options) == (
        f"{name}: 2 blocks are there, {listed}: give a prefix, or use read_all."
    )


@pytest.mark.parametrize("folder", [folder for folder, recording in RECORDINGS.items() if recording.dialect])
def test_recordings_are_read(folder: str):
    """Just the block that `parity_tests/blocks` expects; all runtimes compute what was recorded with these weights."""
    recording = RECORDINGS[folder]
    state = recipe().state(recording.files[0])
    block, weights = dialects.read(recording.dialect, state, **recording.options)
    assert block == recording.block
    written = dialects.write(recording.dialect, block, weights, recording.prefix)
    assert same(written, {name: np.asarray(a) for name, a in state.items()})


def test_what_dialects_say_of_their_proof():
    claims = {(folder, name) for name in dialects.names() for folder in dialects.get(name).proven}
    torch = {(folder, recording.dialect) for folder, recording in RECORDINGS.items() if recording.dialect}
    assert {claim for claim in claims if not claim[0].startswith(("tf1", "Keras"))} == torch
    assert not {folder for folder, _ in claims} & OTHERS


# ---- proof beside the recordings in `RECORDINGS` ---------------------------------------------------------------------

TF1 = {
    "tf1/se_block": {"tf1.se_block": [""]},
    "tf1/se_block_scoped_stack": {"tf1.se_block": ["block_1/", "block_2/", "block_3/"]},
    "tf1/res_block2_net": {"tf1.se_block": ["", "#2/", "#4/", "#6/"]},
    "tf1_blocks/bias_free": {"tf1.se_block": ["", "#2/"], "taki0112.squeeze_excitation_layer": ["", "#2/"]},
    "tf1_blocks/one_by_one": {"tf1.se_block_conv2d": ["se_1/"], "tf1.se_block_slim": ["slim_1/"]},
}


@pytest.mark.parametrize(("folder", "name"), [(folder, name) for folder, found in TF1.items() for name in found])
def test_tensorflow_1(folder: str, name: str):
    """The names say what the graph shows, which `test_recordings.py` proves by what TensorFlow computed."""
    (path,) = (GOLDEN / folder).glob("*.index")
    found = dialects.read_all(name, tf1.read_checkpoint(path))
    assert list(found) == TF1[folder][name]
    shown = [(each.block, each.weights) for each in tf1.find_blocks(path)]
    for block, weights in found.values():
        stated = SE(**block.config() | {"hidden": block.width})
        assert any(other == stated and same(weights, own) for other, own in shown)
    assert folder in dialects.get(name).proven or name.startswith("taki0112")  # whose names TensorFlow gave


def test_numbered_layers_are_written_as_tensorflow_counts():
    block = SE(8, hidden=2)
    state = dialects.write("tf1.se_block", block, weights_of(block), "net/#6/")
    assert sorted(state) == ["net/dense_6/bias", "net/dense_6/kernel", "net/dense_7/bias", "net/dense_7/kernel"]
    state |= {"net/dense_8/kernel": np.zeros((8, 3)), "net/dense_8/bias": np.zeros(3), "net/dense_7/kernel/Adam": 0}
    assert list(dialects.read_all("tf1.se_block", state)) == ["net/#6/"]


@pytest.mark.parametrize(
    ("network", "name"),
    [("EfficientNetB0", "keras_applications.efficientnet"), ("MobileNetV3Small", "keras_applications.mobilenet_v3")],
)
def test_keras_applications(network: str, name: str, tmp_path: Path):
    """The networks as Keras has them: every kind of file, and what the blocks compute."""
    need("keras-tensorflow")
    ran = in_keras("tensorflow", "keras_dialects", "run", network, str(tmp_path), 3)
    files = [dialects.read_all(name, dialects.read_file(tmp_path / f"net.{kind}")) for kind in KINDS]
    assert ran.keys() < files[0].keys()
    for other in files[1:]:
        assert {prefix: block for prefix, (block, _) in other.items()} == {p: b for p, (b, _) in files[0].items()}
        assert all(same(weights, files[0][prefix][1]) for prefix, (_, weights) in other.items())
    for prefix, (image, output) in ran.items():
        block, weights = files[0][prefix]
        gate = reference.gates(block, weights, image)["channel"]
        assert np.ptp(gate, axis=0).max() > 0.01, "gates that do not differ between samples prove nothing"
        assert parity.error(reference.evaluate(block, weights, image), output) < RECORDED["float32"]


KINDS = ("weights.h5", "keras", "h5")


def test_converting_keeps_what_is_computed():
    """The authors' CBAM in timm's names: read through the dialects, the same; copied key by key, wrong."""
    recording = RECORDINGS["official/jongchan_cbam"]
    block, weights = dialects.read("jongchan.CBAM", recipe().state(recording.files[0]))
    found = dialects.read("timm.CbamModule", dialects.write("timm.CbamModule", block, weights), momentum=0.01)
    copied = dialects.read("timm.CbamModule", renamed(recipe().state(recording.files[0])), momentum=0.01)
    wanted = recording.recorded("eval")["output"]
    right, wrong = (np.abs(reference.evaluate(*each, recording.image) - wanted).max() for each in (found, copied))
    assert found[0] == block
    assert right < RECORDED["float64"] * np.abs(wanted).max()
    assert wrong > 1


def renamed(state: dict[str, Any]) -> dict[str, np.ndarray]:
    """Give the authors' CBAM timm's names and shapes, and nothing else."""
    names = {"ChannelGate.mlp.1": "channel.fc1", "ChannelGate.mlp.3": "channel.fc2"}
    names |= {"SpatialGate.spatial": "spatial.conv"}
    found = {}
    for key, array in state.items():
        (old,) = (name for name in names if key.startswith(name))
        found[names[old] + key.removeprefix(old)] = array[..., None, None] if array.ndim == 2 else array
    return found


# ---- arrays of frameworks --------------------------------------------------------------------------------------------


def test_a_network_of_pytorch():
    """A state_dict with blocks at several depths, wrapped for several devices, with gradients; and back into it."""
    need("torch")
    import torch
    from torch import nn

    class SELayer(nn.Module):
        def __init__(self, channels: int, reduction: int) -> None:
            super().__init__()
            hidden = channels // reduction
            self.fc = nn.Sequential(
                nn.Linear(channels, hidden, bias=False),
                nn.ReLU(),
                nn.Linear(hidden, channels, bias=False),
                nn.Sigmoid(),
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.fc(x.mean((2, 3)))[:, :, None, None]

    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sequential(SELayer(8, 2), nn.BatchNorm2d(8)), SELayer(8, 4))
    state = {f"module.{name}": tensor for name, tensor in network.named_parameters()}  # which require gradients
    found = dialects.read_all("moskomule.SELayer", state)
    assert {prefix: block for prefix, (block, _) in found.items()} == {
        "module.1.0.": SE(8, hidden=4, bias=False),
        "module.2.": SE(8, hidden=2, bias=False),
    }
    x = torch.randn(2, 8, 3, 4)
    output = network[2](x).detach().numpy()
    assert parity.error(reference.evaluate(*found["module.2."], x.numpy()), output) < RECORDED["float32"]
    block, weights = found["module.1.0."]
    back = dialects.write("moskomule.SELayer", block, {name: a + 1 for name, a in weights.items()})
    network[1][0].load_state_dict({name: torch.from_numpy(array) for name, array in back.items()}, strict=True)
    assert np.array_equal(network[1][0].fc[0].weight.detach().numpy(), weights["reduce.weight"] + 1)


def test_arrays_of_pytorch_that_numpy_has_not():
    need("torch")
    import torch

    state = {"fc.0.weight": torch.randn(2, 8, dtype=torch.bfloat16), "fc.2.weight": torch.randn(8, 2).to("meta")}
    sentence = refusal(dialects.read, "seeds.SELayer", state)
    assert sentence.startswith("fc.2.weight is no array (")
    state["fc.2.weight"] = torch.randn(8, 2, dtype=torch.bfloat16).requires_grad_()
    _, weights = dialects.read("seeds.SELayer", state)
    assert weights["expand.weight"].dtype == np.float32
    assert np.array_equal(weights["expand.weight"], state["fc.2.weight"].detach().float().numpy())


# ---- errors ----------------------------------------------------------------------------------------------------------


def timm_se(**changes: Any) -> dict[str, Any]:
    block = SE(64, hidden=8)
    state = dialects.write("timm.SEModule", block, weights_of(block), "layer1.0.se.") | changes
    return {name: array for name, array in state.items() if array is not None}


FAULTS = {
    "missing": (
        timm_se(**{"layer1.0.se.fc2.bias": None}),
        "layer1.0.se.fc2.bias (64,) is missing",
    ),
    "misshapen": (
        timm_se(**{"layer1.0.se.fc2.weight": np.zeros((64, 9, 1, 1))}),
        "layer1.0.se.fc2.weight must be (64, 8, 1, 1), got (64, 9, 1, 1)",
    ),
    "left over": (
        timm_se(**{"layer1.0.se.norm.weight": np.zeros(8)}),
        "layer1.0.se.norm.weight (8,) is left over",
    ),
    "all": (
        timm_se(**{"layer1.0.se.fc2.weight": None, "layer1.0.se.fc1.bias": np.zeros(9), "layer1.0.se.x": np.zeros(2)}),
        "layer1.0.se.fc2.weight (64, 8, 1, 1) is missing; layer1.0.se.x (2,) is left over; "
        "layer1.0.se.fc1.bias must be (8,), got (9,)",
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_are_named(kind: str):
    state, fault = FAULTS[kind]
    start = "timm.SEModule: these are not the arrays of SqueezeExcitation(channels=64, hidden=8)"
    assert refusal(dialects.read, "timm.SEModule", state) == f"{start}: {fault}."
    good = dialects.write("timm.SEModule", SE(64, hidden=8), weights_of(SE(64, hidden=8)), "layer2.0.se.")
    assert refusal(dialects.read_all, "timm.SEModule", good | state) == f"{start}: {fault}."


def test_what_looks_alike_is_left_alone():
    """The first convolutions of a network have the name of the CBAM article's spatial attention, not its axes."""
    state = dialects.write("seeds.SpatialAttention", SAM(), weights_of(SAM()), "layer1.sa.")
    state |= {"conv1.weight": np.zeros((64, 3, 7, 7)), "layer1.0.conv1.weight": np.zeros((64, 64, 3, 3))}
    assert list(dialects.read_all("seeds.SpatialAttention", state)) == ["layer1.sa."]


def test_half_of_a_block_is_no_block():
    """The channel half of timm's CBAM has the names of its SE block, and other mathematics."""
    block = CBAM(32, norm=True, momentum=0.1)
    state = dialects.write("timm.CbamModule", block, weights_of(block), "a.")
    assert refusal(dialects.read_all, "timm.SEModule", state) == (
        "timm.SEModule: what looks like it is a part of timm.CbamModule; given a prefix, it is read."
    )
    alone = SE(32, hidden=8)
    state |= dialects.write("timm.SEModule", alone, weights_of(alone), "b.")
    assert list(dialects.read_all("timm.SEModule", state)) == ["b."]


SENTENCES = {
    "nothing": (
        ("timm.SEModule", {"fc1.bias": np.zeros(2), "fc2.weight": np.zeros((2, 2))}, {}),
        "timm.SEModule: no fc1.weight of 4 axes is among the 2 arrays given (fc1.bias, fc2.weight).",
    ),
    "dense for a convolution": (
        ("timm.SEModule", {"fc1.weight": np.zeros((4, 64)), "fc2.weight": np.zeros((64, 4))}, {"prefix": ""}),
        "timm.SEModule: fc1.weight must be (hidden, channels, 1, 1), got (4, 64).",
    ),
    "a name nearby": (
        ("emanet.EMAU", {"mus": np.zeros((1, 4, 2))}, {"prefix": ""}),
        "emanet.EMAU: mu (1, channels, bases) is missing; the nearest is mus.",
    ),
    "no square": (
        ("seeds.SpatialAttention", {"conv1.weight": np.zeros((1, 2, 7, 3))}, {}),
        "seeds.SpatialAttention: conv1.weight must be (1, 2, kernel, kernel), got (1, 2, 7, 3).",
    ),
    "even": (
        ("seeds.SpatialAttention", {"conv1.weight": np.zeros((1, 2, 4, 4))}, {}),
        "seeds.SpatialAttention: these sizes are no SpatialAttention: SpatialAttention(kernel=4): kernel must be odd, "
        "so that it has a centre.",
    ),
    "no option": (
        ("seeds.SELayer", {"fc.0.weight": np.zeros((2, 8)), "fc.2.weight": np.zeros((8, 2))}, {"eps": 1}),
        "seeds.SELayer has no option eps; what sizes do not tell there: none.",
    ),
    "no numbers": (
        ("seeds.SELayer", {"fc.0.weight": np.zeros((2, 8), complex), "fc.2.weight": np.zeros((8, 2))}, {}),
        "fc.0.weight must hold real numbers, got complex128.",
    ),
    "lists of different lengths": (
        ("seeds.SELayer", {"fc.0.weight": [[1.0], [1.0, 2.0]]}, {}),
        "seeds.SELayer: no fc.0.weight of 2 axes is among the 1 arrays given (fc.0.weight).",
    ),
    "ultralytics": (
        ("ultralytics.CBAM", {}, {}),
        "ultralytics' CBAM has one C -> C convolution on the mean; CBAM here has a two-layer perceptron on mean and "
        "maximum.",
    ),
    "xmu": (
        ("xmu.CBAMBlock", {}, {}),
        "xmu's CBAMBlock adds its input to the scaled image; CBAM here returns the scaled image.",
    ),
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_reading_is_refused(kind: str):
    (name, state, options), sentence = SENTENCES[kind]
    assert refusal(dialects.read, name, state, **options) == sentence


def test_the_nearest_dialect_is_named():
    """However its letters are written; the others depend on what else there is."""
    found = refusal(dialects.read, "timm.CBAM", {})
    assert found.startswith("There is no dialect 'timm.CBAM'; nearest: timm.CbamModule, ")


def test_options_that_the_arrays_contradict():
    block = NL(6, mode="concatenation")
    state = dialects.write("alexhex7.NONLocalBlock", block, weights_of(block))
    assert refusal(dialects.read, "alexhex7.NONLocalBlock", state, mode="dot_product") == (
        "alexhex7.NONLocalBlock: the arrays say mode='concatenation', not 'dot_product'."
    )


@pytest.mark.parametrize(("name", "example"), LISTED)
def test_any_shapes_and_options_are_read_or_refused(name: str, example: int):
    """Arrays from outside: whatever their shapes, and whatever the options, there is a block or one sentence."""
    block, given = EXPRESSIBLE[name][example]
    state = dialects.write(name, block, {key: np.zeros(a.shape, "f4") for key, a in block.arrays().items()})
    rng = np.random.default_rng(0)
    for _ in range(40):
        changed = {key: array for key, array in state.items() if rng.random() > 0.03}
        for key in rng.choice(list(state), rng.integers(3)):
            shape = rng.choice([0, 1, 2, 3, 7, 13, *state[key].shape], rng.integers(6))
            changed[str(key)] = np.broadcast_to(np.float32(0), shape if rng.random() > 0.3 else state[key].shape[::-1])
        values = [None, -1, 0, 2, 10**9, "x", 0.5, (2, 0), [3], True]
        options = given | {key: values[rng.integers(10)] for key in dialects.get(name).options if rng.random() < 0.2}
        try:
            found, weights = dialects.read(name, changed, **options)
        except DialectError:
            continue
        shapes = {key: array.shape for key, array in weights.items()}
        assert shapes == {key: array.shape for key, array in found.arrays().items()}


INEXPRESSIBLE = {
    "another block": ("timm.SEModule", CAM(8, 2), "timm.SEModule cannot express {}: it is a SqueezeExcitation."),
    "biases": ("seeds.SELayer", SE(32), "seeds.SELayer cannot express {}: there bias is False, not True."),
    "no biases": (
        "cadene.SEModule",
        SE(32, bias=False),
        "cadene.SEModule cannot express {}: there bias is True, not False.",
    ),
    "a sum with the image": (
        "timm.SEModule",
        SE(32, residual=True),
        "timm.SEModule cannot express {}: there residual is False, not True.",
    ),
    "a norm between the layers": (
        "monai.ChannelSELayer",
        SE(32, norm=True),
        "monai.ChannelSELayer cannot express {}: it has nothing that is reduce_norm.weight.",
    ),
    "no norm between the layers": (
        "rexnet.SE",
        SE(32),
        "rexnet.SE cannot express {}: there norm is True, not False.",
    ),
    "pools": (
        "timm.CbamModule",
        CBAM(8, 2, norm=True, pools="max"),
        "timm.CbamModule cannot express {}: there pools is 'both', not 'max'.",
    ),
    "a norm": (
        "seeds.CBAM",
        CBAM(8, 2, norm=True),
        "seeds.CBAM cannot express {}: it has nothing that is spatial.norm.weight.",
    ),
    "no norm": (
        "jongchan.CBAM",
        CBAM(8, 2, bias=True),
        "jongchan.CBAM cannot express {}: there norm is True, not False.",
    ),
    "eps": (
        "gcnet.ContextBlock",
        GC(8, 2, eps=1e-6),
        "gcnet.ContextBlock cannot express {}: there eps is 1e-05, not 1e-06.",
    ),
    "axes": (
        "timm.NonLocalAttn",
        NL(8, rank=1, norm=True),
        "timm.NonLocalAttn cannot express {}: timm.NonLocalAttn: t.weight must be (hidden, channels, 1, 1), got "
        "(4, 8, 1).",
    ),
    "a scale": (
        "alexhex7.NONLocalBlock",
        NL(8, scale="hidden"),
        "alexhex7.NONLocalBlock cannot express {}: there scale is 'none', not 'hidden'.",
    ),
    "a window": (
        "mmcv.NonLocal",
        NL(8, subsample=3),
        "mmcv.NonLocal cannot express {}: there window is (2, 2), not (3, 3).",
    ),
    "a bias before the norm": (
        "mmcv.NonLocal",
        NL(8, norm=True),
        "mmcv.NonLocal cannot express {}: there is no project.bias, which would have to be 0 everywhere.",
    ),
    "padding": (
        "seeds.BasicBlock",
        RES(4, 4, attention="se", padding="same"),
        "seeds.BasicBlock cannot express {}: there padding is 'symmetric', not 'same'.",
    ),
    "another attention": (
        "seeds.BasicBlock",
        RES(4, 4, attention="SqueezeExcitation(hidden=2, activation='silu')"),
        "seeds.BasicBlock cannot express {}: there attention.activation is 'relu', not 'silu'.",
    ),
}


@pytest.mark.parametrize("kind", INEXPRESSIBLE)
def test_writing_is_refused(kind: str):
    name, block, sentence = INEXPRESSIBLE[kind]
    found = refusal(dialects.write, name, block, weights_of(block), kind=InexpressibleError)
    assert found == sentence.format(repr(block))


def test_a_bias_that_is_not_there():
    """Mmcv's last convolution has none before a norm; read, it is 0, which means the same."""
    block = NL(8, norm=True, scale="hidden")
    weights = weights_of(block) | {"project.bias": np.zeros(8, "float32")}
    state = dialects.write("mmcv.NonLocal", block, weights)
    assert "conv_out.conv.bias" not in state
    assert same(dialects.read("mmcv.NonLocal", state)[1], weights)


def test_weights_of_another_block():
    with pytest.raises(
        core.WeightsError, match=r"^These are not weights of SqueezeExcitation\(channels=8, hidden=2\): "
    ):
        dialects.write("timm.SEModule", SE(8, hidden=2), weights_of(SE(8, hidden=3)))


# ---- guesses ---------------------------------------------------------------------------------------------------------

# Options that arrays do not tell and that other dialects have too: `guess` takes those of the class.
FIRST = [(name, i) for name, i in LISTED if not EXPRESSIBLE[name][i][1]]


@pytest.mark.parametrize(("name", "example"), FIRST)
def test_the_first_guess_means_the_same(name: str, example: int):
    block, _ = EXPRESSIBLE[name][example]
    weights = weights_of(block)
    weights |= {array: np.zeros_like(weights[array]) for array in dialects.get(name).absent(block)}
    state = dialects.write(name, block, weights)
    first, *others = dialects.guess(state)
    found, own = dialects.read(first.dialect, state)
    alike = [name, *UNTOLD.get(name, [])]
    assert first.dialect in alike or (found == block and same(own, weights))
    assert first.score == 1
    assert name in [guess.dialect for guess in (first, *others) if guess.score == 1]


# Where the arrays are those of another dialect too, and only the code that runs them says which it is.
UNTOLD = {
    "torchvision.SqueezeExcitation": ["timm.SEModule"],
    "timm.SEModule": ["seeds.ChannelAttention"],
    "monai.ChannelSELayer": ["dli14.SELayer"],
    "monai.ResidualSELayer": ["dli14.SELayer"],
    "timm.CecaModule": ["timm.EcaModule"],
}


def test_guess_says_what_speaks_for_it():
    block = SE(64, hidden=8)
    first, *others = map(str, dialects.guess(dialects.write("timm.SEModule", block, weights_of(block), "a.se.")))
    assert first == (
        "timm.SEModule: 4 of 4 arrays have its names and shapes; 8 hidden units are its channels / 16 rounded to a "
        "multiple of 8; torchvision.SqueezeExcitation, cadene.SEModule would mean the same. "
        "Not told by arrays: activation, gate."
    )
    assert {other.partition(":")[0] for other in others} == {"cadene.SEModule", "torchvision.SqueezeExcitation"}


def test_guess_tells_dialects_of_one_name_apart():
    """A perceptron without biases is an SE block or CBAM's channel half: the arrays do not tell."""
    block = CAM(32)
    state = dialects.write("seeds.ChannelAttention", block, weights_of(block))
    found = {guess.dialect: guess for guess in dialects.guess(state)}
    assert found["seeds.ChannelAttention"].doubts == (
        "timm.SEModule reads the same arrays as SqueezeExcitation(channels=32, reduction=16, bias=False)",
    )
    assert found["timm.SEModule"].doubts[0] == "it has no biases, which this class has unless bias=False is given"


def test_guess_knows_the_trap_of_cbam():
    """The authors' weights, with timm's names: nothing but the biases tells that the planes are the other way round."""
    state = recipe().state(RECORDINGS["official/jongchan_cbam"].files[0])
    (theirs, *_), (copied,) = dialects.guess(state), dialects.guess(renamed(state))
    assert (theirs.dialect, theirs.doubts) == ("jongchan.CBAM", ())
    assert copied.dialect == "timm.CbamModule"
    assert copied.doubts == (
        "the perceptron has biases, which this class has only with mlp_bias=True and jongchan.CBAM always has: if "
        "these are its weights renamed, the planes of the spatial kernel are the wrong way round",
    )


def test_norms_are_told_by_their_name():
    """The `GlobalResponseNorm` of timm has arrays as every norm has; its networks call it grn."""
    layer = {"weight": np.ones(4), "bias": np.zeros(4)}
    norm, grn = ({f"mlp.{name}.{key}": array for key, array in layer.items()} for name in ("norm", "grn"))
    assert dialects.guess(norm) == []
    assert [guess.prefixes for guess in dialects.guess(norm | grn)] == [("mlp.grn.",)]
    assert list(dialects.read_all("timm.GlobalResponseNorm", norm | grn)) == ["mlp.grn."]
    (alone,) = dialects.guess(layer)
    assert alone.doubts == ("every norm has arrays of these names and shapes: only the name grn tells",)
    assert refusal(dialects.read, "timm.GlobalResponseNorm", norm) == (
        "timm.GlobalResponseNorm: no grn.weight of 1 axes is among the 2 arrays given (mlp.norm.weight, mlp.norm.bias)."
    )
    found, _ = dialects.read("timm.GlobalResponseNorm", norm, prefix="mlp.norm")  # somebody else's name for it
    assert found == core.GlobalResponseNorm(4)


def test_guess_in_a_network():
    block, other = SE(32, bias=False), CBAM(32)
    state = {"head.weight": np.zeros((3, 3))}
    for i in range(3):
        state |= dialects.write("moskomule.SELayer", block, weights_of(block), f"layer{i}.se")
    state |= dialects.write("seeds.CBAM", other, weights_of(other), "neck")
    first, second, third = dialects.guess(state)[:3]
    assert (first.dialect, second.dialect) == ("seeds.SELayer", "moskomule.SELayer")  # which mean the same
    assert first.prefixes == ("layer0.se.", "layer1.se.", "layer2.se.")
    assert first.score == 6 / 10
    assert (third.dialect, third.prefixes) == ("seeds.CBAM", ("neck.",))


def test_guess_leaves_parts_and_damaged_blocks_aside():
    """Two kinds of CBAM, whose channel halves are no SE blocks, and an SE block of three without one of its arrays."""
    timm, seed, block = CBAM(32, norm=True, momentum=0.1), CBAM(16), SE(64, hidden=8)
    state = dialects.write("timm.CbamModule", timm, weights_of(timm), "a")
    state |= dialects.write("seeds.CBAM", seed, weights_of(seed), "b")
    for place in "cde":
        state |= dialects.write("timm.SEModule", block, weights_of(block), place)
    del state["d.fc2.bias"]
    found = {guess.dialect: guess.prefixes for guess in dialects.guess(state)}
    assert (found["timm.CbamModule"], found["seeds.CBAM"]) == (("a.",), ("b.",))
    assert found["timm.SEModule"] == ("c.", "e.")


def layers(first: tuple[int, ...], second: tuple[int, ...], prefix: str = "") -> dict[str, np.ndarray]:
    """Return two layers as timm calls them."""
    shapes = {"fc1.weight": first, "fc1.bias": first[:1], "fc2.weight": second, "fc2.bias": second[:1]}
    return {prefix + key: np.zeros(shape) for key, shape in shapes.items()}


PERCEPTRONS = {
    "ConvMlp of ConvNeXt": layers((128, 32, 1, 1), (32, 128, 1, 1), "stages.0.blocks.0.mlp."),
    "ConvMlp alone": layers((128, 32, 1, 1), (32, 128, 1, 1)),
    "ConvMlp as wide": layers((32, 32, 1, 1), (32, 32, 1, 1), "mlp."),
    "Mlp of a transformer": layers((128, 32), (32, 128), "blocks.3.mlp."),
    "Mlp as wide": layers((32, 32), (32, 32), "blocks.3.mlp_channels."),
    "of Keras": {"ffn/dense/kernel": np.zeros((8, 32)), "ffn/dense_1/kernel": np.zeros((32, 8))},
    "without biases": {"fc.0.weight": np.zeros((64, 32)), "fc.2.weight": np.zeros((32, 64))},
}


@pytest.mark.parametrize("kind", PERCEPTRONS)
def test_perceptrons_are_no_gates(kind: str):
    """They have the arrays of an SE block, but widen the channels; a narrow one's name is a doubt."""
    assert dialects.guess(PERCEPTRONS[kind]) == []
    narrow = layers((8, 32, 1, 1), (32, 8, 1, 1), "mlp.")
    assert all(DOUBT in guess.doubts for guess in dialects.guess(narrow))
    beside = dialects.guess(PERCEPTRONS[kind] | layers((8, 64, 1, 1), (64, 8, 1, 1), "layer.se."))
    assert {guess.prefixes for guess in beside} == {("layer.se.",)}
    assert not any(DOUBT in guess.doubts for guess in beside)


def test_guess_names_what_is_refused():
    state = {
        "model.9.channel_attention.fc.weight": np.zeros((8, 8, 1, 1)),
        "model.9.channel_attention.fc.bias": np.zeros(8),
        "model.9.spatial_attention.cv1.weight": np.zeros((1, 2, 7, 7)),
    }
    (guess,) = dialects.guess(state)
    assert (guess.dialect, guess.prefixes) == ("ultralytics.CBAM", ("model.9.",))
    assert str(guess) == (
        "ultralytics.CBAM: it has model.9.channel_attention.fc.weight, model.9.spatial_attention.cv1.weight. But: "
        "ultralytics' CBAM has one C -> C convolution on the mean; CBAM here has a two-layer perceptron on mean and "
        "maximum."
    )
    xmu = {"ca.se.0.weight": np.zeros((1, 8, 1, 1)), "ca.se.2.weight": np.zeros((8, 1, 1, 1)), "sa.conv.weight": 0}
    assert [guess.dialect for guess in dialects.guess(xmu)] == ["xmu.CBAMBlock"]
    assert dialects.guess({"a": np.zeros(3)}) == []
    assert dialects.guess({}) == []


def test_shuffle_attention_needs_its_groups():
    block = SA(24, 2)
    state = dialects.write("sa_net.sa_layer", block, weights_of(block))
    assert dialects.read("sa_net.sa_layer", state)[0] == SA(768)  # as its class would be made without saying groups
    (guess, _) = dialects.guess(state)
    assert guess.untold == ("groups",)
