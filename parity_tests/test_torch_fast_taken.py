"""When the fast form of a block is taken in PyTorch: only where nobody could tell, except by the time it takes.

Each part is swapped for one that somebody might put there, and each call made as tracers and transformations make it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import pytest
from bounds import FLOAT64
from runtimes import need

need("torch")

import torch  # noqa: E402
from fast_checks import image_of, layer_of, noting, plainly, results  # noqa: E402
from torch import Tensor, distributed, nn  # noqa: E402
from torch.distributed.fsdp import fully_shard  # noqa: E402
from torch.nn.modules import module as modules  # noqa: E402
from torch.nn.utils import parametrizations, prune  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

import attn_core as core  # noqa: E402
import attn_torch  # noqa: E402
from attn_core import parity  # noqa: E402
from attn_core.spec import Part  # noqa: E402
from attn_core.spec.parts import Dense  # noqa: E402
from attn_torch.layer import FAST  # noqa: E402

pytestmark = pytest.mark.filterwarnings(  # PyTorch's own
    "ignore:`torch.jit:DeprecationWarning",
    "ignore:torch.ao.quantization is deprecated:DeprecationWarning",
    "ignore:torch.quantize_per_tensor",
    "ignore:The .grad attribute of a Tensor that is not a leaf",
    "ignore:Converting a tensor to a Python",  # of group norm, traced
)

BLOCKS = {
    "SqueezeExcitation": core.SqueezeExcitation(64),
    "ChannelAttention": core.ChannelAttention(64),
    "CBAM": core.CBAM(64, norm=True),
    "GlobalContext": core.GlobalContext(64),
    "ShuffleAttention": core.ShuffleAttention(64, 8),
}


def test_every_fast_form_is_tried():
    assert set(BLOCKS) == {block.__name__ for block in FAST}


def leaves(block: core.Block) -> list[Part]:
    found = [leaves(part) if isinstance(part, core.Block) else [part] for part in block.parts().values()]
    return [leaf for each in found for leaf in each]


def parts_of(block: core.Block) -> list[str]:
    return [name for name, _ in attn_torch.bind(block, device="meta").named_modules() if name]


EACH = [(name, part) for name, block in BLOCKS.items() for part in parts_of(block)]
every_part = pytest.mark.parametrize(("block", "part"), EACH)
every_block = pytest.mark.parametrize("block", BLOCKS)


def ready(block: str) -> tuple[attn_torch.Layer, Tensor]:
    layer, x = layer_of(BLOCKS[block]).eval(), image_of(BLOCKS[block])
    with noting() as counts:
        layer(x)
    assert counts[block] == 1, "before the change it is taken, or this proves nothing"
    return layer, x


def assert_plain(block: str, layer: nn.Module, x: Tensor, around: Callable[[], AbstractContextManager] = nullcontext):
    """Assert that the whole block is not taken, and that the call gives what the plain form does."""
    with noting() as counts, around():
        found = results(layer, x)
    assert counts[block] == 0
    with plainly(), around():
        wanted = results(layer, x)
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() <= FLOAT64 * other.abs().max().clamp(min=1)


# ---- parts -----------------------------------------------------------------------------------------------------------


class Adapted(nn.Module):
    """A part with something beside it, as LoRA puts it there."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base, self.beside = base, nn.Parameter(torch.full((1,), 0.3, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) * (1 + self.beside)


def subclassed(part: nn.Module) -> nn.Module:
    """Return the part as one of a class that somebody derived."""
    kind = type(part)
    part.__class__ = type("Own", (kind,), {"forward": lambda self, x: kind.forward(self, x) * 1.5})
    return part


def patched(part: nn.Module) -> nn.Module:
    """Return the part with a `forward` of its own, as offloading tools set it."""
    run = part.forward
    part.forward = lambda x: run(x) * 1.5
    return part


class Wrapped(Tensor):
    """A tensor of a class that somebody derived."""


def of_wrapped(part: nn.Module) -> nn.Module:
    for owner in part.modules():
        for name, weight in owner.named_parameters(recurse=False):
            setattr(owner, name, nn.Parameter(weight.detach().as_subclass(Wrapped)))
    return part


HOOKS: dict[str, Callable[[nn.Module], Any]] = {
    "forward": lambda part: part.register_forward_hook(lambda module, given, output: output * 1.5),
    "forward pre": lambda part: part.register_forward_pre_hook(lambda module, given: (given[0] * 1.5,)),
    "backward": lambda part: part.register_full_backward_hook(lambda module, to, pull: (to[0] * 1.5,)),
    "backward pre": lambda part: part.register_full_backward_pre_hook(lambda module, pull: (pull[0] * 1.5,)),
}
SWAPS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "adapted": Adapted,
    "subclassed": subclassed,
    "wrapped weights": of_wrapped,
}


@pytest.mark.parametrize("hook", HOOKS)
@every_part
def test_hooked_parts(block: str, part: str, hook: str):
    layer, x = ready(block)
    HOOKS[hook](layer.get_submodule(part))
    assert_plain(block, layer, x)


@pytest.mark.parametrize("swap", SWAPS)
@every_part
def test_swapped_parts(block: str, part: str, swap: str):
    layer, x = ready(block)
    layer.set_submodule(part, SWAPS[swap](layer.get_submodule(part)))
    assert_plain(block, layer, x)


@every_part
def test_patched_parts(block: str, part: str):
    layer, x = ready(block)
    patched(layer.get_submodule(part))
    with noting() as counts:
        output = layer(x)
    assert counts[block] == 0
    assert not torch.equal(output, ready(block)[0](x))


@every_part
def test_parametrised_and_pruned_weights(block: str, part: str):
    for change in (
        lambda owner: parametrizations.weight_norm(owner),
        lambda owner: prune.random_unstructured(owner, "weight", 0.5),
    ):
        layer, x = ready(block)
        owner = layer.get_submodule(part)
        if "weight" not in owner._parameters or owner.weight.ndim < 2:
            continue
        change(owner)
        with noting() as counts:
            results(layer, x)
        assert counts[block] == 0


DENSE = [name for name, block in BLOCKS.items() if any(isinstance(part, Dense) for part in leaves(block))]


@pytest.mark.parametrize("block", DENSE)
def test_quantised_parts(block: str):
    """By PyTorch's dynamic quantisation, of every dense layer."""
    layer, x = layer_of(BLOCKS[block], torch.float32).eval(), image_of(BLOCKS[block], torch.float32)
    quantised = torch.ao.quantization.quantize_dynamic(layer, {nn.Linear}, dtype=torch.qint8)
    assert any("quantized" in type(part).__module__ for part in quantised.modules())
    with noting() as counts, torch.no_grad():
        quantised(x)
    assert counts[block] == 0


@every_block
def test_compiled_parts(block: str):
    """By the function and by the method, which leaves the part its class."""
    for compiled in (lambda part: torch.compile(part, backend="eager"), lambda part: part.compile(backend="eager")):
        layer, x = ready(block)
        part = parts_of(BLOCKS[block])[-1]
        if (found := compiled(layer.get_submodule(part))) is not None:
            layer.set_submodule(part, found)
        assert_plain(block, layer, x)


@pytest.fixture
def one_process() -> Iterator[None]:
    """Be a group of one process, for which FSDP shards as for many."""
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore:FSDP2-wrapped module .FSDPLinear. returned a view")  # a dense layer of tokens
@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("whole", [True, False])
@every_block
def test_sharded_layers(block: str, whole: bool):
    """Of a layer that is sharded as a whole, weights are plain while it runs; its parts may be sharded alone."""
    plain, x = ready(block)
    layer, mesh = copy.deepcopy(plain), distributed.init_device_mesh("cpu", (1,))
    for module in [layer] if whole else [*layer.children(), layer]:
        fully_shard(module, mesh=mesh)
    with noting() as counts:
        layer(x).square().sum().backward()
    assert counts[block] == whole
    with plainly():
        plain(x).square().sum().backward()
    for one, other in zip(layer.parameters(), plain.parameters(), strict=True):
        assert parity.error(one.grad.full_tensor().numpy(), other.grad.numpy()) <= FLOAT64


@every_block
def test_half_of_the_weights_in_another_dtype(block: str):
    layer, x = ready(block)
    list(layer.children())[-1].float()
    with noting() as counts, suppress(RuntimeError):  # of numbers and images, PyTorch adds those of two types
        layer(x)
    assert counts[block] == 0


# ---- calls -----------------------------------------------------------------------------------------------------------


class Dispatching(TorchDispatchMode):
    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*args, **(kwargs or {}))


class Functions(TorchFunctionMode):
    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*args, **(kwargs or {}))


AROUND = {
    "dispatch mode": Dispatching,
    "function mode": Functions,
    "device": lambda: torch.device("cpu"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "forward derivatives": torch.autograd.forward_ad.dual_level,
    "global hook": lambda: modules.register_module_forward_hook(lambda module, given, output: None),
}


@pytest.mark.parametrize("name", AROUND)
@every_block
def test_what_is_around_a_call(block: str, name: str):
    layer, x = ready(block)
    assert_plain(block, layer, x, AROUND[name])


IMAGES: dict[str, Callable[[Tensor], Tensor]] = {
    "small": lambda x: x[:, :, :8, :8].contiguous(),
    "channels last": lambda x: x.to(memory_format=torch.channels_last),
    "apart": lambda x: x.mT,
    "subclass": lambda x: x.as_subclass(Wrapped),
}


@pytest.mark.parametrize("name", IMAGES)
@every_block
def test_images_of_other_kinds(block: str, name: str):
    layer, x = ready(block)
    assert_plain(block, layer, IMAGES[name](x.detach()).requires_grad_())


CALLS: dict[str, Callable[[nn.Module, Tensor], Any]] = {
    "vmap": lambda layer, x: torch.vmap(lambda one: layer(one[None])[0])(x),
    "grad": lambda layer, x: torch.func.grad(lambda x: layer(x).sum())(x),
    "functional call": lambda layer, x: torch.func.functional_call(
        layer, {name: weight * 2 for name, weight in layer.named_parameters()}, (x,)
    ),
    "compile": lambda layer, x: torch.compile(layer, backend="eager", fullgraph=True)(x),
    "export": lambda layer, x: torch.export.export(layer, (x,)).module()(x),
    "trace": lambda layer, x: torch.jit.trace(layer, (x,), check_trace=False)(x),
    "symbolic trace": lambda layer, x: torch.fx.symbolic_trace(layer)(x),
    "gates": lambda layer, x: next(iter(layer.gates(x).values())),
}


@pytest.mark.parametrize("name", CALLS)
@every_block
def test_calls_of_other_kinds(block: str, name: str):
    layer, x = ready(block)
    torch.compiler.reset()
    with noting() as counts:
        found = CALLS[name](layer, x.detach())
    assert counts[block] == 0
    with plainly():
        wanted = CALLS[name](layer, x.detach())
    assert (found - wanted).abs().max() <= FLOAT64 * wanted.abs().max().clamp(min=1)


@every_block
def test_recorded_gates(block: str):
    layer, x = ready(block)
    with noting() as counts, attn_torch.record_gates(layer) as gates:
        layer(x)
    assert gates
    assert counts[block] == 0


@every_block
def test_wrong_channels_are_explained(block: str):
    layer, x = ready(block)
    with noting() as counts, pytest.raises(RuntimeError) as caught:
        layer(torch.cat([x, x], 1))
    assert caught.value.__notes__
    assert counts[block] == 0


@every_block
def test_copied_and_moved_layers_are_as_built(block: str):
    layer, x = ready(block)
    with noting() as counts:
        copy.deepcopy(layer)(x)
        layer.float().double().requires_grad_(False)(x)
    assert counts[block] == 2
