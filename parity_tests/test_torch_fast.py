"""The fast forms of blocks in PyTorch compute what the blocks state, and save what they promise.

The cases, recordings and derivatives of other tests are here run once more with images of every size in the fast form.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from blocks import CASES, RECORDINGS
from bounds import FLOAT64, HALF
from runtimes import need
from tiers import left

need("torch")

import test_derivatives  # noqa: E402
import test_parity  # noqa: E402
import test_recordings  # noqa: E402
import torch  # noqa: E402
from fast_checks import image_of, layer_of, noting, plainly, results  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.autograd.graph import saved_tensors_hooks  # noqa: E402
from torch.profiler import ProfilerActivity, profile  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

import attn_core as core  # noqa: E402
from attn_core import parity  # noqa: E402
from attn_torch.fast import taken  # noqa: E402
from attn_torch.layer import FAST  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # which PyTorch itself calls


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """Let images of every size take the fast form; counts them."""
    monkeypatch.setattr(taken, "LEAST", 1)
    with noting() as counts:
        yield counts


ODD_GROUPS = ("sa_one_group", "sa_narrow")  # of which one lies in both halves of the shuffle: the plain form


def computes_more(block: core.Block) -> bool:
    """Say whether the block normalises or adds what the formulas know nothing of."""
    return isinstance(block, core.SqueezeExcitation) and (block.norm or block.residual)


def of_a_fast_block(values: dict) -> list[str]:
    fast = [name for name, value in values.items() if type(value.block) in FAST and not computes_more(value.block)]
    return [name for name in fast if name not in ODD_GROUPS]


@pytest.mark.parametrize("case", [name for name, case in CASES.items() if computes_more(case.block)])
def test_what_computes_more_is_plain(everywhere, case: str):
    test_parity.test_outcome("torch", "float64", case)
    assert not any(everywhere.values())


@pytest.mark.parametrize("dtype", ["float64", left("float32", "the same in float64")])
@pytest.mark.parametrize("case", of_a_fast_block(CASES))
def test_cases(everywhere, case: str, dtype: str):
    """Output and all gradients, ties of maxima and running statistics among them, as the reference has them."""
    test_parity.test_outcome("torch", dtype, case)
    assert everywhere[type(CASES[case].block).__name__] >= 1


# Not a gate alone, nor what Keras recorded, whose images have their channels last.
WHOLE = {
    folder: recording
    for folder, recording in RECORDINGS.items()
    if recording.gate is None and not folder.startswith("official/keras_")
}


@pytest.mark.parametrize("folder", of_a_fast_block(WHOLE))
def test_recordings_of_authors(everywhere, folder: str):
    for mode in RECORDINGS[folder].modes:
        test_recordings.test_runtime(folder, mode, "torch", "float64")
    assert everywhere[type(RECORDINGS[folder].block).__name__] >= 1


@pytest.mark.parametrize("case", [name for name in of_a_fast_block(CASES) if name in test_derivatives.NAMES])
def test_derivatives_of_second_order_and_forwards(everywhere, case: str):
    if case in test_derivatives.SMOOTH:
        test_derivatives.test_torch_gradients_of_gradients(case)
        assert everywhere[type(CASES[case].block).__name__] >= 1
    everywhere.clear()
    test_derivatives.test_torch_forward_mode(case)
    assert not +everywhere


LARGE = [
    core.SqueezeExcitation(64),
    core.SqueezeExcitation(64, bias=False, activation="silu", gate="hard_sigmoid"),
    core.ChannelAttention(64),
    core.ChannelAttention(64, pools="mean"),
    core.ChannelAttention(64, pools="max", bias=True),
    core.CBAM(64),
    core.CBAM(64, bias=True, spatial_bias=True, norm=True),
    core.CBAM(64, pools="mean"),
    core.GlobalContext(64),
    core.GlobalContext(64, pool="mean", bias=False),
    core.GlobalContext(64, fusion="scale"),
    core.GlobalContext(64, fusion="both"),
    core.ShuffleAttention(64, 8),
]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("block", LARGE, ids=repr)
def test_large_images(block: core.Block, train: bool):
    """As the plain form has it, whatever moves: all, the image alone, all weights, or the last one."""
    layer, x = layer_of(block).train(train), image_of(block)
    everything = [x, *layer.parameters()]
    for moving in (everything, [x], everything[1:], everything[-1:]):
        for tensor in everything:
            tensor.requires_grad_(any(tensor is each for each in moving))
        with noting() as counts:
            found = results(copy.deepcopy(layer), x)
        assert counts[type(block).__name__] == 1
        with plainly():
            wanted = results(copy.deepcopy(layer), x)
        for one, other in zip(found, wanted, strict=True):
            assert error(one, other) <= FLOAT64


def error(one: Tensor, other: Tensor) -> float:
    return parity.error(one.numpy(force=True), other.numpy(force=True))


@pytest.mark.parametrize("block", LARGE, ids=repr)
def test_without_a_gradient(block: core.Block):
    """The same numbers, with nothing kept; in the fast form where that is faster also then."""
    layer, x = layer_of(block).eval(), image_of(block)
    output, alone = layer(x), not isinstance(block, core.SqueezeExcitation | core.ChannelAttention)
    for mode in (torch.no_grad, torch.inference_mode):
        with noting() as counts, mode():
            assert error(layer(x), output) == 0
        assert counts[type(block).__name__] == alone


@pytest.mark.parametrize("block", LARGE, ids=repr)
def test_outputs_may_be_added_to_in_place(block: core.Block):
    """As residual blocks do; of a view that a function of autograd returned, PyTorch would refuse it."""
    layer, x = layer_of(block), image_of(block)
    with noting() as counts:
        output = layer(x)
    assert counts[type(block).__name__] == 1
    assert not output._is_view()
    output += x
    output.relu_().sum().backward()
    with torch.no_grad():
        assert not layer(x)._is_view()


@pytest.mark.parametrize("block", LARGE, ids=repr)
def test_one_graph_twice(block: core.Block):
    """Its gradient a second time, many at once, and by checkpointing are the same numbers."""
    layer, x = layer_of(block).eval(), image_of(block)
    moving = [x, *layer.parameters()]
    with noting() as counts:
        output = layer(x)
    assert counts[type(block).__name__] == 1
    assert type(output.grad_fn).__name__ == "_TapedBackward"  # as docs/fast.md says
    pulls = torch.randn(2, *output.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(0))
    first, again, other = (torch.autograd.grad(output, moving, pulls[i], retain_graph=True) for i in (0, 0, 1))
    batched = torch.autograd.grad(output, moving, pulls, retain_graph=True, is_grads_batched=True)
    with noting() as counts:
        recomputed = checkpoint(layer, x, use_reentrant=False)
        of_checkpoint = torch.autograd.grad(recomputed, moving, pulls[0])
    assert counts[type(block).__name__] == 1  # the second time, it ends when everything is kept
    for one, same, second, both, last in zip(first, again, other, batched, of_checkpoint, strict=True):
        assert torch.equal(one, same)
        assert torch.equal(one, last)
        assert max(error(both[0], one), error(both[1], second)) <= FLOAT64


IN_HALF = [core.SqueezeExcitation(64), core.ChannelAttention(64), core.ChannelAttention(64, pools="max")]


@pytest.mark.parametrize("block", IN_HALF, ids=repr)
def test_bfloat16(block: core.Block):
    """As float64 of the same numbers has it, within the rounding steps of the type."""
    layer, x = layer_of(block, torch.bfloat16), image_of(block, torch.bfloat16, batch=2)
    with noting() as counts:
        found = results(layer, x)
    assert counts[type(block).__name__] == 1
    with plainly():
        wanted = results(copy.deepcopy(layer).double(), x.detach().double().requires_grad_())
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == torch.bfloat16
        assert float((one - other).abs().max() / other.abs().max()) <= HALF["bfloat16"]


# ---- what it costs, in numbers that are the same each time -----------------------------------------------------------

# Kept beside the image, and the most that is allocated in a step of training, both in images: an output, a gradient,
# and what a few samples need.
COSTS = {
    core.SqueezeExcitation(64): (0.01, 2.05),
    core.ChannelAttention(64): (0.01, 2.05),
    core.CBAM(64, norm=True): (0.07, 2.3),
    core.GlobalContext(64): (0.02, 2.1),
    core.ShuffleAttention(64, 8): (0.01, 2.65),
}


@pytest.mark.parametrize("block", COSTS, ids=repr)
def test_what_is_kept_for_the_gradient(block: core.Block):
    """The image, weights, and little more."""
    layer, x, kept = layer_of(block, torch.float32), image_of(block, torch.float32, batch=8), {}
    with noting() as counts, saved_tensors_hooks(lambda t: kept.update({t.data_ptr(): t}) or t, lambda t: t):
        output = layer(x)
    assert counts[type(block).__name__] == 1
    own = {each.data_ptr() for each in (x, *layer.parameters(), *layer.buffers())}
    assert x.data_ptr() in kept
    assert output.data_ptr() not in kept
    assert sum(t.nbytes for place, t in kept.items() if place not in own) <= COSTS[block][0] * x.nbytes


@pytest.mark.parametrize("block", COSTS, ids=repr)
def test_peak(block: core.Block):
    """Of what is allocated from the call to its gradients."""
    layer, x = layer_of(block, torch.float32), image_of(block, torch.float32, batch=8)
    results(layer, x)
    with noting() as counts, profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        torch.autograd.grad(layer(x), [x, *layer.parameters()], x)
    assert counts[type(block).__name__] == 1
    events = [event for event in watched.profiler.kineto_results.events() if event.name() == "[memory]"]
    sizes = [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]
    assert max(itertools.accumulate(sizes)) <= COSTS[block][1] * x.nbytes


def test_the_page_has_these_numbers():
    page = (Path(__file__).parent.parent / "docs" / "fast.md").read_text()
    rows = re.findall(r"^\| (.*) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
    stated = {
        name: (float(kept), float(peak)) for names, kept, peak in rows for name in re.findall(r"`([A-Z]\w+)`", names)
    }
    assert stated == {type(block).__name__: costs for block, costs in COSTS.items()}
