"""What users do with a network: choose its attention and size, build it, save it, train it with dropout."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import runtimes
from blocks import CASES
from bounds import FLOAT64
from probes import Probe
from runtimes import need

import attn_core as core
from attn_core import models, parity
from attn_core.interpreters.rounding import bounded
from attn_core.interpreters.shapes import output_shape
from attn_core.models.attention import attention
from attn_core.models.registry import NAMED, named
from attn_core.parity import Outcome
from attn_core.spec import Block, SpecError

RUNTIMES = ("torch", "keras-tensorflow", "linen", "nnx")

# ---- which attention -------------------------------------------------------------------------------------------------

CHOICES = {
    "se": core.SqueezeExcitation(40, hidden=2),  # round(2.5): halves go to the even number
    "cbam": core.CBAM(40),
    "shuffle": core.ShuffleAttention(40, 4),
    "CBAM": core.CBAM(40),
    "GlobalContext(reduction=8)": core.GlobalContext(40, reduction=8),
    core.SqueezeExcitation: core.SqueezeExcitation(40),
    None: None,
}


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_attention(choice: Any):
    assert attention(choice, 40, 2) == CHOICES[choice]


def test_attention_takes_rank_and_functions():
    assert attention("cbam", 32, 3) == core.CBAM(32, rank=3)
    assert attention(lambda channels: core.NonLocal(channels, hidden=4), 8, 2) == core.NonLocal(8, hidden=4)
    assert attention("eca", 8, 2) == core.EfficientChannelAttention(8)
    assert attention("Coord(hidden=3)", 8, 1) == core.CoordinateAttention(8, hidden=3, rank=1)
    assert attention("SE", 64, 2) == attention("se", 64, 2) == core.SqueezeExcitation(64, hidden=4)
    assert attention("se", 3, 2) == core.SqueezeExcitation(3, hidden=1)
    assert [attention("shuffle", c, 2).groups for c in (64, 256, 512, 6)] == [32, 64, 64, 1]


@pytest.mark.parametrize("name", NAMED)
def test_a_name_means_itself(name: str):
    """Also where it is another one but for an underscore: the functions are called like classes."""
    assert named(name) == name


REFUSED = {
    "fca": f"attention='fca' is none of se, cbam, shuffle, {', '.join(core.BLOCKS)}, a function",
    "ema": "'ema' is what people call EfficientMultiScaleAttention and ExpectationMaximizationAttention: say which.",
    "AttentionGate(gating=8)": "'AttentionGate(gating=8)' takes 2 inputs; in a network, attention takes an image.",
    "CBAM(8)": "'CBAM(8)' configures no block: ",
    "CBAM(reduction=len(x))": "'CBAM(reduction=len(x))' configures no block: fields must be numbers, texts, True",
    "CBAM(reduction=80)": "leaves no hidden unit",
    5: "attention=5 is no function: give a function of the channels that returns a block.",
    str: "attention=<class 'str'> made '64' for 64 channels: give a function of the channels that returns a block.",
}


@pytest.mark.parametrize("choice", REFUSED, ids=str)
def test_attention_refused(choice: Any):
    with pytest.raises(SpecError) as error:
        core.se_resnet_18(attention=choice)
    assert REFUSED[choice] in str(error.value)


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize("choice", ["cbam", "shuffle", None, core.PointwiseGate], ids=str)
def test_networks_with_another_attention(name: str, choice: Any):
    block = core.SEResNet(3, (1, 1), False, attention=choice, width=16)
    x = parity.sample_image((2, 3, 17, 16))
    weights = core.initialise(block, 1)
    found = runtimes.run(need(name), block, weights, x, dtype="float64")
    assert parity.error(found.output, core.evaluate(block, weights, x)) < FLOAT64


# ---- what they are ---------------------------------------------------------------------------------------------------

# Of PyTorch's own ResNets with 1000 classes, and what squeeze-and-excitation adds: for each block of C channels and
# C / 16 hidden units, 2 C² / 16 weights and C + C / 16 biases.
PLAIN = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}


@pytest.mark.parametrize("depth", PLAIN)
def test_parameters(depth: int):
    network = getattr(core, f"se_resnet_{depth}")()
    wide = [64 * 2**i * (4 if network.bottleneck else 1) for i in range(4)]
    added = sum(n * (c * c // 8 + c + c // 16) for n, c in zip(network.depths, wide, strict=True))
    assert network.parameters() == PLAIN[depth] + added
    assert getattr(core, f"se_resnet_{depth}")(attention=None).parameters() == PLAIN[depth]


def test_shapes():
    for size in ((224, 224), (33, 65), (1, 1)):
        assert output_shape(core.se_resnet_50(7), (2, 3, *size)) == (2, 7)
    assert output_shape(core.hybrid_sn(30, 25), (2, 1, 30, 25, 25)) == (2, 16)
    assert core.hybrid_sn(30, 25).parameters() == 5_122_176  # as the paper's table 1
    with pytest.raises(core.ShapeError, match=r"an image must be \(batch, 1, 30, 25, 25\)"):
        output_shape(core.hybrid_sn(30, 25), (2, 1, 30, 25, 24))


@pytest.mark.parametrize("package", ["attn_torch", "attn_tf", "attn_jax.linen", "attn_jax.nnx"])
def test_constructors(package: str):
    """The same functions in every package, with the same configuration."""
    need({"attn_torch": "torch", "attn_tf": "keras-tensorflow"}.get(package, package.rpartition(".")[2]))
    if package == "attn_tf":
        runtimes.in_keras("tensorflow", "keras_checks", "constructors")
        return
    module = importlib.import_module(package)
    if package == "attn_torch":
        found = module.se_resnet_34(5, attention="cbam", device="meta").block
        patches = module.hybrid_sn_2d_first(20, 11, 4, device="meta").block
    elif package == "attn_jax.linen":
        found = module.se_resnet_34(5, attention="cbam").configure(3, 2)
        patches = module.hybrid_sn_2d_first(20, 11, 4).configure(1, 3)
    else:
        from flax import nnx

        found = nnx.eval_shape(lambda: module.se_resnet_34(5, attention="cbam", rngs=nnx.Rngs(0))).block
        patches = nnx.eval_shape(lambda: module.hybrid_sn_2d_first(20, 11, 4, rngs=nnx.Rngs(0))).block
    assert found == core.se_resnet_34(5, attention="cbam")
    assert patches == core.hybrid_sn_2d_first(20, 11, 4)


def test_saved_and_loaded(tmp_path):
    block = CASES["hybrid_attention"].block
    core.save(tmp_path / "net.safetensors", block, CASES["hybrid_attention"].weights)
    again, weights = core.load(tmp_path / "net.safetensors")
    assert again == block
    assert all(np.array_equal(weights[key], a) for key, a in CASES["hybrid_attention"].weights.items())
    by_class = core.ResidualBlock(16, 16, attention=core.CBAM)
    assert by_class.attention == "CBAM"
    free = core.ResidualBlock(4, 4, attention=lambda channels: core.SqueezeExcitation(channels, 2))
    with pytest.raises(core.WeightsError, match="a file cannot hold every field of ResidualBlock"):
        core.save(tmp_path / "free.safetensors", free, core.initialise(free))
    assert not (tmp_path / "free.safetensors").exists()


@pytest.mark.parametrize("name", RUNTIMES)
def test_residual_block_of_one_pixel(name: str):
    """Of whose kernels only the middle matters."""
    block = core.ResidualBlock(4, 6, 2, attention="SqueezeExcitation(hidden=3)", padding="same")
    x, weights = parity.sample_image((3, 4, 1, 1)), core.initialise(block, 2)
    found = runtimes.run(need(name), block, weights, x, dtype="float64")
    assert parity.error(found.output, core.evaluate(block, weights, x)) < FLOAT64


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


def test_torch_draws_each_weight_once(monkeypatch: pytest.MonkeyPatch):
    """On the meta device none, elsewhere those of the blocks inside a network once, with the network's own."""
    need("torch")
    import attn_torch
    from attn_torch import layer

    drawn: list[int] = []
    fill = layer.fill
    monkeypatch.setattr(layer, "fill", lambda law, tensor: (tensor.is_meta or drawn.append(1), fill(law, tensor)))
    network = attn_torch.se_resnet_18(10, device="meta")
    assert {tensor.device.type for tensor in network.state_dict().values()} == {"meta"}
    assert not drawn
    network = attn_torch.se_resnet_18(10)
    assert len(drawn) == len(network.state_dict())
    attn_torch.bind(network.block, attn_torch.weights(network))
    assert len(drawn) == len(network.state_dict())
    assert all(int(a) == 0 for name, a in network.state_dict().items() if name.endswith("num_batches_tracked"))


@pytest.mark.parametrize("options", [{}, {"preactivation": True}, {"bottleneck": True}], ids=str)
def test_torch_same_padding_with_unknown_sizes(options: dict[str, Any]):
    """Exported with even sizes, it pads odd ones as TensorFlow does."""
    need("torch")
    import torch

    import attn_torch

    layer = attn_torch.ResidualBlock(4, 8, 2, attention="se", padding="same", **options).eval()
    automatic = torch.export.Dim.AUTO
    x = torch.tensor(parity.sample_image((2, 4, 8, 10)), dtype=torch.float32)
    exported = torch.export.export(layer, (x,), dynamic_shapes=({0: automatic, 2: automatic, 3: automatic},)).module()
    for size in ((8, 10), (7, 9), (5, 12)):
        other = torch.tensor(parity.sample_image((3, 4, *size)), dtype=torch.float32)
        wanted = bounded(layer.block, attn_torch.weights(layer), other.double().numpy())
        found = Outcome(exported(other).detach().double().numpy(), {}, {})
        (output,) = (tensor for tensor in parity.compared(found, wanted) if tensor.name == "output")
        assert output.passed


# ---- dropout ---------------------------------------------------------------------------------------------------------

RATE, NUMBERS = 0.4, (50, 6, 20, 20)


def dropped_in_torch(block: Block) -> Any:
    import torch

    import attn_torch

    layer = attn_torch.bind(block)
    return lambda x, train: layer.train(train)(torch.tensor(x)).numpy()


def dropped_in_linen(block: Block) -> Any:
    import jax
    import jax.numpy as jnp

    from attn_jax import linen

    module, variables = linen.bind(block).unbind()
    keys = iter(range(9))
    return lambda x, train: np.asarray(
        module.apply(variables, jnp.asarray(x), train=train, rngs={"dropout": jax.random.key(next(keys))})
    )


def dropped_in_nnx(block: Block) -> Any:
    import jax.numpy as jnp

    from attn_jax import nnx

    module = nnx.bind(block, core.initialise(block))

    def run(x: np.ndarray, train: bool) -> np.ndarray:
        module.train() if train else module.eval()
        return np.asarray(module(jnp.asarray(x)))

    return run


@pytest.mark.parametrize("run", [dropped_in_torch, dropped_in_linen, dropped_in_nnx])
def test_dropout(run: Any):
    need(run.__name__.removeprefix("dropped_in_"))
    check_dropout(run(Probe("dropout_40")))


def test_dropout_in_keras(keras_backend: str):
    runtimes.in_keras(keras_backend, "keras_checks", "dropout", Probe("dropout_40"))


def check_dropout(run: Any) -> None:
    """Each number is dropped with the same probability, in other places at each call, and in training only."""
    x = np.ones(NUMBERS, np.float32)
    first, second = run(x, True), run(x, True)
    kept = np.float32(1 / (1 - RATE))
    assert set(np.unique(first)) == {np.float32(0), kept}
    deviation = np.sqrt(RATE * (1 - RATE) / first.size)
    assert abs((first == 0).mean() - RATE) < 5 * deviation
    assert abs(((first == 0) & (second == 0)).mean() - RATE**2) < 5 * deviation
    assert np.array_equal(run(x, False), x)


def test_dropout_of_the_reference():
    """It is random: nothing to compare with."""
    block = Probe("dropout_40")
    x = parity.sample_image((2, 6, 3, 3))
    assert np.array_equal(core.evaluate(block, {}, x), x)
    with pytest.raises(ValueError, match=r"part: dropout of 0\.4 is random in training; configure the block without"):
        core.evaluate(block, {}, x, train=True)
    assert models.HybridSN(13, 9, dropout=0).dropout == 0
