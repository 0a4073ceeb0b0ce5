"""A PyTorch layer of somebody's against the definition: what passes, and what is said of what does not."""

from __future__ import annotations

import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from runtimes import need

import attn_core as core
from attn_core.models.registry import example
from attn_core.parity import ForeignError, ParityError, assert_parity
from attn_core.parity.foreign.altering import altered

need("torch")

import foreign_torch as theirs  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

import attn_torch  # noqa: E402

SE = core.SqueezeExcitation(8, 4)
CBAM = core.CBAM(4, 2, 3, bias=True, norm=True)
SMALL = {"shape": (2, 8, 4, 3), "draws": 2}
PLANES = {"shape": (2, 4, 5, 4), "draws": 2}


@pytest.fixture(autouse=True)
def seed() -> None:
    """Let layers start from the same weights."""
    torch.manual_seed(0)


def refused(layer, block=SE, **options) -> str:
    with pytest.raises(ParityError) as caught:
        assert_parity(layer, block, **(SMALL if block is SE else PLANES) | options)
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_right_layers_pass(dtype: str):
    checked = assert_parity(theirs.SE(), SE, dtype=dtype, seed=1)
    names = {"output", "grad:input", *(f"grad:{layer}.{leaf}" for layer in ("reduce", "expand") for leaf in LEAVES)}
    assert checked.tensors.keys() == names
    assert (checked.passed, checked.how, checked.message) == (True, "by the dialect cadene.SEModule", "")
    (cell,) = checked.cells
    assert (cell.mode, cell.dtype, cell.runtime, len(cell.shares)) == ("eval", dtype, "torch", 3)
    assert 0 < checked.share == max(cell.shares) <= 1


LEAVES = ("weight", "bias")


def test_threads_take_turns():
    """On one layer, right or wrong, its weights and mode put back."""
    layer = theirs.CBAM().train()
    before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    wrong = core.CBAM(4, 2, 3, bias=True, norm=True, pools="mean")
    with ThreadPoolExecutor(8) as pool:
        passed = [pool.submit(assert_parity, layer, CBAM, **PLANES | {"draws": 1}) for _ in range(6)]
        failed = [pool.submit(refused, layer, wrong, draws=1) for _ in range(2)]
        assert all(each.result().passed for each in passed)
        assert len({each.result() for each in failed}) == 1
    assert layer.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in layer.state_dict().items())


def test_statistics_are_compared_where_there_are_some():
    checked = assert_parity(theirs.CBAM(), CBAM, **PLANES)
    assert [cell.mode for cell in checked.cells] == ["eval", "train"]
    assert {"stat:spatial.norm.running_mean", "stat:spatial.norm.running_var"} <= checked.tensors.keys()
    assert [cell.mode for cell in assert_parity(theirs.CBAM(), CBAM, modes=["train"], **PLANES).cells] == ["train"]


def test_shared_gradients_are_named():
    """What `amax` does with equal maxima, and the definition does not: no error, but a remark; on noise it passes."""
    assert assert_parity(theirs.CBAM(), CBAM, **PLANES).remark == (
        "Where maxima are equal, as after a relu, it differs in grad:input: it shares the gradient among them, as "
        "torch.amax, jnp.max and tf.reduce_max do; the definition gives it to the first, as max pools do."
    )
    assert not assert_parity(attn_torch.CBAM(4, 2, 3), core.CBAM(4, 2, 3), **PLANES).remark
    assert not assert_parity(theirs.SE(), SE).remark


def test_layers_of_ours_pass():
    assert assert_parity(attn_torch.CBAM(4, 2, 3), core.CBAM(4, 2, 3), **PLANES).how == "as one of our layers"
    assert "It matches with activation='silu'" in refused(attn_torch.SqueezeExcitation(8, 4, activation="silu"))


def test_message_says_where_and_why():
    lines = refused(theirs.SE(activation=nn.functional.silu), seed=5).splitlines()
    assert lines[0] == (
        "The PyTorch module SE is not SqueezeExcitation(channels=8, reduction=4) in eval, float32, seed 5; "
        "its weights were taken over by the dialect cadene.SEModule."
    )
    assert lines[1].startswith("  output[")
    assert all(text in lines[1] for text in ("]: found ", ", wanted ", ", bound ", ", error / bound "))
    assert lines[5:] == [
        "  and 2 more of 6 arrays",
        "They agree up to reduce and part ways before expand: at relu.",
        "It matches with activation='silu': this is keras_hub's way (keras_hub.MBConvBlock).",
    ]


ENDS = {
    theirs.MaxPooled: [
        "They part ways before reduce: at global_mean.",
        "It matches with global_max in place of global_mean.",
    ],
    theirs.Unbiased: ["It matches without expand.bias: it has no effect there."],
    theirs.GateOnly: [
        "They agree up to expand and part ways after it: at sigmoid, scale.",
        "It returns the gate 'channel', which its caller multiplies with the image; the block does both.",
    ],
    theirs.Residual: ["It matches with residual=True."],
    theirs.Random: [
        "Its output is random: the same input gave another output. Compare it without dropout, or in eval."
    ],
}


CUT = "as detach, stop_gradient or no_grad do it."
ENDS |= {
    theirs.Gated: ["It matches with tanh in place of sigmoid."],
    theirs.Softmax: ["It matches with softmax in place of sigmoid."],
    theirs.Ungated: ["It matches with sigmoid left out."],
    theirs.DetachedSqueeze: [f"It matches with no gradient through global_mean, {CUT}"],
    theirs.GateWithoutGradients: [f"It matches with no gradient through sigmoid, {CUT}"],
    theirs.WithoutGradients: [
        "All of its gradients are 0: it was run without them, as under torch.no_grad, or on detached tensors."
    ],
}


@pytest.mark.parametrize("layer", ENDS)
def test_what_it_is_instead(layer: type):
    assert refused(layer()).splitlines()[-len(ENDS[layer]) :] == ENDS[layer]


ACTIVATIONS = {
    "It matches with relu left out.": nn.Identity(),
    "It matches with activation='leaky_relu'.": nn.LeakyReLU(),
    "It matches with a leaky relu of slope 0.2 in place of relu.": nn.LeakyReLU(0.2),
    "It matches with tanh in place of relu.": nn.Tanh(),
}


@pytest.mark.parametrize("end", ACTIVATIONS)
def test_other_activations_are_told(end: str):
    assert refused(theirs.SE(activation=ACTIVATIONS[end])).splitlines()[-1] == end


def test_the_input_added_is_told():
    """Of a block that has no field for it."""
    assert refused(theirs.ResidualCBAM(), CBAM).splitlines()[-1] == "Its output is the block's with the input added."


def test_planes_swapped_are_told_by_name():
    """The names are the authors', and the planes stand as in timm's copy."""
    message = refused(theirs.CBAM(swapped=True), CBAM)
    end = [
        "They agree up to spatial.concat and part ways at spatial.conv: "
        "what goes into it is the same, what comes out is not.",
        "It matches with the two planes of spatial.conv swapped: this is timm's order (timm.CbamModule).",
    ]
    assert message.splitlines()[-2:] == end
    assert message.count(end[1]) == 2  # in evaluation and in training


def test_settings_of_parts_are_told():
    assert refused(theirs.CBAM(eps=1e-3), CBAM).endswith("\nIt matches with spatial.norm.eps=0.001.")
    message = refused(theirs.CBAM(momentum=0.1), CBAM)
    assert message.count("is not CBAM") == 1  # in training alone
    assert "output" not in message
    assert message.endswith("\nIt matches with momentum=0.1: this is timm's way (timm.CbamModule).")


def test_another_order_of_steps_parts_ways_at_the_first():
    with pytest.raises(ParityError) as caught:
        assert_parity(theirs.CBAM(spatial_first=True), CBAM, modes=["eval"], **PLANES)
    (cell,) = caught.value.checked.cells
    assert cell.where.startswith("channel.")
    assert "They part ways " in cell.message


def test_broken_outputs():
    short = refused(theirs.Short()).splitlines()
    assert short[1] == "  output: the shape is (2, 3, 4, 3), and should be (2, 8, 4, 3)"
    assert refused(theirs.Undefined()).splitlines()[1] == "  output[0, 0, 0, 0]: found nan, the first of 192 such"


IMAGE = "on an image (2, 8, 4, 3) in eval."
WAY = "It is called with one image: wrap it in a layer that gives it the rest."
COPIES = "runs copies of a module, which keep their tensors: give its .module."
FIXED = "is or has a ScriptModule, whose tensors are fixed: give what it is made of."
INCOMPARABLE = {
    "raises": (theirs.Raising, f"The PyTorch module Raising raised RuntimeError: no such kernel, {IMAGE}"),
    "two images": (
        theirs.Needy,
        "The PyTorch module Needy raised TypeError: Needy.forward() missing 1 required positional argument: 'like', "
        f"{IMAGE} {WAY}",
    ),
    "a keyword": (
        theirs.Keyed,
        "The PyTorch module Keyed raised TypeError: Keyed.forward() missing 1 required keyword-only argument: 'like', "
        f"{IMAGE} {WAY}",
    ),
    "several tensors": (theirs.Several, "the PyTorch module Several returned tuple: a layer returns one tensor."),
    "replicas": (lambda: nn.DataParallel(theirs.SE()), f"the PyTorch module DataParallel {COPIES}"),
    "replicas of ours": (
        lambda: nn.DataParallel(attn_torch.SqueezeExcitation(8, 4)),
        f"the PyTorch module DataParallel {COPIES}",
    ),
    "scripted": (
        lambda: torch.jit.script(attn_torch.SqueezeExcitation(8, 4).reduce),
        f"the PyTorch module RecursiveScriptModule {FIXED}",
    ),
    "traced": (
        lambda: torch.jit.trace(theirs.SE(), torch.randn(2, 8, 4, 3)),
        f"the PyTorch module TopLevelTracedModule {FIXED}",
    ),
    "traced inside": (
        lambda: nn.Sequential(torch.jit.trace(theirs.SE(), torch.randn(2, 8, 4, 3))),
        f"the PyTorch module Sequential {FIXED}",
    ),
}


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("case", INCOMPARABLE)
def test_what_cannot_be_compared_is_no_difference(case: str):
    make, sentence = INCOMPARABLE[case]
    with pytest.raises(ForeignError) as caught:
        assert_parity(make(), SE, **SMALL)
    assert str(caught.value) == sentence


def pruned(layer: nn.Module) -> None:
    nn.utils.prune.l1_unstructured(layer, "weight", 0.3)


class Symmetric(nn.Module):
    def forward(self, x):
        return x + x.flip(0)


MADE = {
    "weight norm": nn.utils.parametrizations.weight_norm,
    "weight norm of old": nn.utils.weight_norm,
    "spectral norm": nn.utils.parametrizations.spectral_norm,
    "spectral norm of old": nn.utils.spectral_norm,
    "pruned": pruned,
    "one's own": lambda layer: nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric()),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("how", MADE)
def test_weights_that_are_made_of_others(how: str):
    """They are compared as what they are made into, and the module stays as it is, right or wrong."""
    for activation in (torch.relu, nn.functional.silu):
        layer = theirs.SE(activation=activation)
        MADE[how](layer.fc1)
        MADE[how](layer.fc2)
        layer(torch.randn(2, 8, 4, 3))  # after which hooks hold what they made
        before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
        if activation is torch.relu:
            assert assert_parity(layer, SE, **SMALL).passed
        else:
            assert "It matches with activation='silu'" in refused(layer)
        after = layer.state_dict()
        assert after.keys() == before.keys()
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_planes_of_what_is_made_are_told():
    layer = theirs.CBAM(swapped=True)
    nn.utils.parametrizations.weight_norm(layer.SpatialGate.spatial.conv)
    assert "It matches with the two planes of spatial.conv swapped" in refused(layer, CBAM)


def snapshot(module: nn.Module) -> tuple:
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    kept = {name: (tensor, tensor.clone(), tensor.requires_grad, tensor.grad) for name, tensor in tensors.items()}
    return kept, [(each.training, sorted(vars(each)), len(each._forward_hooks)) for each in module.modules()]


@pytest.mark.parametrize("make", [theirs.Remembering, theirs.CBAM, lambda: theirs.CBAM(swapped=True), theirs.Raising])
def test_the_layer_stays_as_it_is(make):
    module = make().train()
    next(module.children()).eval()
    next(module.parameters()).requires_grad_(False)
    before, state = snapshot(module), torch.random.get_rng_state()
    block, options = (CBAM, PLANES) if isinstance(module, theirs.CBAM) else (SE, SMALL)
    with suppress(ParityError, ForeignError):
        assert_parity(module, block, modes=["eval", "train"], **options)
    after = snapshot(module)
    assert after[1] == before[1]
    assert getattr(module, "last", None) is None
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, (tensor, values, wanted, grad) in before[0].items():
        assert after[0][name][0] is tensor
        assert torch.equal(tensor, values)
        assert (tensor.requires_grad, tensor.grad) == (wanted, grad)


def test_half_precision_layers_are_run_in_the_type_asked_for():
    module = theirs.SE().to(torch.bfloat16)
    assert_parity(module, SE, **SMALL)
    assert module.fc1.weight.dtype == torch.bfloat16


def test_same_seed_same_numbers():
    module = theirs.SE()
    one, other, third = (assert_parity(module, SE, seed=seed, **SMALL).tensors for seed in (3, 3, 4))
    assert one == other != third


def test_errors_pass_between_processes():
    """As pytest-xdist sends them."""
    with pytest.raises(ParityError) as caught:
        assert_parity(theirs.MaxPooled(), SE, **SMALL)
    back = pickle.loads(pickle.dumps(caught.value))
    assert (str(back), type(back)) == (str(caught.value), ParityError)
    assert back.checked.cells[0].where == "global_mean"


def test_weights_are_proven_also_where_they_start_at_zero():
    """With its own weights alone a layer whose biases are 0 would hide that it does not use them."""
    module = theirs.Unbiased()
    for parameter in (module.fc1.bias, module.fc2.bias):
        nn.init.zeros_(parameter)
    assert "without expand.bias" in refused(module)


def is_choice(field: dataclasses.Field) -> bool:
    return isinstance(field.default, str) and field.name != "attention"


@pytest.mark.parametrize("name", core.BLOCKS)
def test_every_choice_of_every_block_is_tried(name: str):
    """When a layer is not what it should be: each field that is a word has another one among the blocks it might be."""
    block = example(name)
    choices = {field.name for field in dataclasses.fields(block) if is_choice(field)} - set(block.overruled())
    assert choices <= {other.field for other in altered(block)}
