"""What PyTorch users do with a layer."""

from __future__ import annotations

from runtimes import need

need("torch")

import copy
import io
import shutil

import numpy as np
import pytest
import torch

import attn_core as core
import attn_torch

# PyTorch's own compiler writes C++; without one for that, the graph is still captured whole and run.
BACKEND = "inductor" if shutil.which("g++") else "aot_eager"
DIMENSIONS = ({0: torch.export.Dim("batch"), 2: torch.export.Dim("height"), 3: torch.export.Dim("width")},)


KINDS = [attn_torch.SqueezeExcitation, attn_torch.ChannelAttention]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def layer(kind: type[attn_torch.Layer] = attn_torch.SqueezeExcitation, **options: object) -> attn_torch.Layer:
    torch.manual_seed(0)
    return kind(16, 4, **options)


def image(*shape: int) -> torch.Tensor:
    return torch.randn(shape or (2, 16, 5, 6), generator=torch.Generator().manual_seed(1))


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a - b).abs().max().item()


def test_state_dict_is_canonical():
    module = layer()
    assert list(module.state_dict()) == ["reduce.weight", "reduce.bias", "expand.weight", "expand.bias"]
    assert list(module.state_dict()) == list(module.block.arrays())


def test_print():
    assert repr(layer(hidden=3)) == (
        "SqueezeExcitation(\n"
        "  channels=16, hidden=3\n"
        "  (reduce): Linear(in_features=16, out_features=3, bias=True)\n"
        "  (expand): Linear(in_features=3, out_features=16, bias=True)\n"
        ")"
    )


@every_kind
@pytest.mark.parametrize("dynamic", [False, True])
def test_compiles_without_a_graph_break(kind: type[attn_torch.Layer], dynamic: bool):
    torch.compiler.reset()
    module = layer(kind)
    compiled = torch.compile(module, fullgraph=True, dynamic=dynamic, backend="eager")
    for shape in [(2, 16, 5, 6), (3, 16, 7, 4)]:
        assert difference(compiled(image(*shape)), module(image(*shape))) < 1e-6


@every_kind
def test_exports_with_unknown_height_and_width(kind: type[attn_torch.Layer]):
    module = layer(kind)
    exported = torch.export.export(module, (image(),), dynamic_shapes=DIMENSIONS).module()
    for shape in [(1, 16, 1, 1), (3, 16, 9, 2)]:
        assert difference(exported(image(*shape)), module(image(*shape))) < 1e-6


@every_kind
def test_fx_trace_fits_images_of_every_rank(kind: type[attn_torch.Layer]):
    module = layer(kind)
    traced = torch.fx.symbolic_trace(module)
    for shape in [(2, 16, 5), (2, 16, 5, 6), (2, 16, 2, 3, 4)]:
        assert difference(traced(image(*shape)), module(image(*shape))) == 0


def test_whole_module_saves_and_loads():
    module, file = layer(), io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    again = torch.load(file, weights_only=False)
    assert difference(again(image()), module(image())) == 0
    assert difference(copy.deepcopy(module)(image()), module(image())) == 0


def test_channels_last_stays_channels_last():
    module = layer()
    x = image().to(memory_format=torch.channels_last)
    assert module(x).is_contiguous(memory_format=torch.channels_last)
    assert difference(module(x), module(image())) < 1e-6


GRADCHECKS = (
    attn_torch.SqueezeExcitation(16, 4, dtype=torch.float64),
    attn_torch.SqueezeExcitation(16, 4, dtype=torch.float64, activation="silu"),
    attn_torch.SqueezeExcitation(16, 4, dtype=torch.float64, activation="gelu", bias=False),
    attn_torch.ChannelAttention(16, 4, dtype=torch.float64, bias=True),
)


@pytest.mark.parametrize("module", GRADCHECKS, ids=lambda module: module.extra_repr())
def test_gradcheck(module: attn_torch.Layer):
    """Finite differences agree with the gradients, first and second, of the image and of every weight."""
    torch.manual_seed(0)
    module.reset_parameters()
    names, values = zip(*module.named_parameters(), strict=True)

    def run(x: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(module, dict(zip(names, weights, strict=True)), (x,))

    x = image(2, 16, 2, 1).double().requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *values))
    assert torch.autograd.gradgradcheck(run, (x, *values))


def test_device_and_dtype():
    assert layer(device="meta").reduce.weight.is_meta
    assert layer(dtype=torch.bfloat16)(image().bfloat16()).dtype == torch.bfloat16
    with torch.device("meta"):
        assert layer().expand.bias.is_meta


def test_autocast():
    module = layer()
    with torch.autocast("cpu", torch.bfloat16):
        found = module(image())
    assert difference(found.float(), module(image())) < 0.05


def test_vmap_and_per_sample_gradients():
    module = layer()
    x, weights = image(3, 2, 16, 4, 4), dict(module.named_parameters())

    def loss(weights: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(module, weights, (x,)).square().sum()

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, x)
    whole = torch.func.grad(lambda w: sum(loss(w, sample) for sample in x))(weights)
    for name in weights:
        assert difference(each[name].sum(0), whole[name]) < 1e-3 * whole[name].abs().max()


def test_what_is_kept_for_backward():
    """The image, the gate, and vectors: nothing else of the image's size."""
    kept: list[torch.Tensor] = []
    x = image(2, 16, 32, 32).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        layer()(x)
    assert sum(t.numel() >= x.numel() for t in kept) == 1
    assert sum(t.numel() for t in kept if t.numel() < x.numel()) < x.numel() / 10


def test_reset_parameters_draws_again():
    module = layer()
    before = module.reduce.weight.clone()
    module.reset_parameters()
    assert difference(module.reduce.weight, before) > 0.1


@every_kind
def test_gates(kind: type[attn_torch.Layer]):
    module = layer(kind)
    gate = module.gates(image())["channel"]
    assert gate.shape == (2, 16)
    assert ((gate > 0) & (gate < 1)).all()
    assert difference(image() * gate[:, :, None, None], module(image())) == 0


def test_bind_weights_and_load(tmp_path):
    block = core.SqueezeExcitation(16, hidden=3, bias=False, gate="hard_sigmoid")
    weights = core.initialise(block, seed=3)
    core.save(tmp_path / "se.safetensors", block, weights)
    module = attn_torch.load(tmp_path / "se.safetensors", dtype=torch.float64)
    assert isinstance(module, attn_torch.SqueezeExcitation)
    assert module.block == block
    found = attn_torch.weights(module)
    assert {name: array.tobytes() for name, array in found.items()} == {
        name: array.astype(np.float64).tobytes() for name, array in weights.items()
    }


def test_weights_are_those_it_computes_with():
    """Also of a compiled layer, and behind a parametrisation."""
    module = layer()
    assert list(attn_torch.weights(torch.compile(module, backend="eager"))) == list(module.block.arrays())
    before = attn_torch.weights(module)
    torch.nn.utils.parametrizations.weight_norm(module.reduce)
    assert np.abs(attn_torch.weights(module)["reduce.weight"] - before["reduce.weight"]).max() < 1e-6
    with pytest.raises(TypeError, match="weights takes a layer of attn_torch, got Sequential"):
        attn_torch.weights(torch.nn.Sequential(module))


def test_weights_of_bfloat16_are_the_same_numbers():
    module = layer(dtype=torch.bfloat16)
    found = attn_torch.weights(module)["reduce.weight"]
    assert found.dtype == np.float32
    assert torch.equal(torch.tensor(found).bfloat16(), module.reduce.weight)


def test_safetensors_file_of_a_state_dict_needs_no_translation(tmp_path):
    from safetensors.torch import save_file

    module = layer()
    save_file(module.state_dict(), tmp_path / "plain.safetensors")
    block, weights = core.load(tmp_path / "plain.safetensors", module.block)
    assert difference(attn_torch.bind(block, weights)(image()), module(image())) == 0


def test_bind_refuses_weights_of_another_block():
    weights = core.initialise(core.SqueezeExcitation(16, 4, bias=False))
    weights["expand.weight"] = weights["expand.weight"].T
    with pytest.raises(core.WeightsError) as caught:
        attn_torch.bind(core.SqueezeExcitation(16, 4), weights | {"gate": np.zeros(3)})
    assert str(caught.value) == (
        "These are not weights of SqueezeExcitation(channels=16, reduction=4): reduce.bias (4,) is missing; "
        "expand.bias (16,) is missing; gate (3,) is left over; expand.weight must be (16, 4), got (4, 16)."
    )


def test_wrong_channels_are_explained():
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied") as caught:
        layer()(image(2, 8, 5, 5))
    assert caught.value.__notes__ == [
        "SqueezeExcitation(channels=16, reduction=4) on [(2, 8, 5, 5)]: reduce: Dense expects 16 features, got (2, 8)"
    ]


def test_gates_of_wrong_channels_are_explained():
    with pytest.raises(RuntimeError) as caught:
        layer().gates(image(2, 8, 5, 5))
    assert "reduce: Dense expects 16 features, got (2, 8)" in caught.value.__notes__[0]


def test_integer_images_are_refused():
    with pytest.raises(RuntimeError, match="could not infer output dtype"):
        layer()(torch.ones(2, 16, 5, 6, dtype=torch.uint8))


def test_no_space_is_explained():
    with pytest.raises(RuntimeError) as caught:
        layer()(image(2, 16))
    assert caught.value.__notes__ == [
        "SqueezeExcitation(channels=16, reduction=4) on [(2, 16)]: "
        "an image has a batch axis, a channel axis and at least one spatial axis, not 2 axes"
    ]


def test_wrong_configuration():
    with pytest.raises(core.SpecError) as caught:
        attn_torch.SqueezeExcitation(8, 16)
    assert str(caught.value) == (
        "SqueezeExcitation(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8."
    )
