"""How a ported network's proof in PyTorch saves memory, and that it computes the same."""

from __future__ import annotations

import io
import weakref
from pathlib import Path

import numpy as np
import pytest
from runtimes import need

need("torch")  # else all of this is skipped, before it is imported

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.autograd.graph import saved_tensors_hooks  # noqa: E402

from attn_core.parity import error  # noqa: E402
from attn_torch import ported  # noqa: E402
from attn_torch.spill import Spill  # noqa: E402
from attn_torch.widen import Widened  # noqa: E402

SAME = 1e-14  # relative, of float64; the layouts of what is multiplied may differ

SOURCE = """
import torch
from torch import nn


class Own(nn.Module):  # whose weights are no layer's, and read in several ways
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(4))
        self.register_buffer("table", torch.rand(3, 4, 4))

    def forward(self, x):
        y = torch.einsum("bchw,cd->bdhw", x, self.table[1].T) * self.scale[:, None, None]
        return torch.cat([y, self.table[:1, :, :, None].expand(len(x), 4, 4, 4) * y.mean()], 1)


def load():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), Own(), nn.GELU(),
        nn.Conv2d(8, 8, 3, groups=4, bias=False), nn.Flatten(2), nn.MultiheadAttention(4, 2), nn.Linear(4, 5),
    )
    network[8].forward = lambda x, run=network[8].forward: run(x, x, x)[0]
    return network.eval()
"""


def test_the_proof_computes_what_a_float64_network_does(tmp_path: Path):
    """Layers, views of weights, buffers, weights that another module reads; several images and files of two sizes."""
    (tmp_path / "model.py").write_text(SOURCE)
    path, draw = str(tmp_path / "model.py"), np.random.default_rng(0)
    images = [draw.standard_normal((n, 3, 8, 8)) for n in (2, 3)]
    pulls = [draw.standard_normal((len(image), 8, 5)) for image in images]
    double, single = (ported.imported(path).load().to(dtype) for dtype in (torch.float64, torch.float32))
    for image, pull, found in zip(images, pulls, ported.run(path, images, pulls), strict=True):
        assert np.array_equal(found.single, single(torch.tensor(image, dtype=torch.float32)).detach())
        outputs, gradients = [], []
        for one, its in zip(image, pull, strict=True):
            x = torch.tensor(one[None]).requires_grad_()
            outputs.append(double(x))
            gradients += torch.autograd.grad(outputs[-1], x, torch.tensor(its[None]))
        assert found.output.dtype == found.gradient.dtype == np.float64
        assert error(found.output, torch.cat(outputs).detach().numpy()) <= SAME
        assert error(found.gradient, torch.cat(gradients).numpy()) <= SAME
    assert [each.name for each in tmp_path.iterdir()] == ["model.py"]


def test_weights_stay_float32():
    """Those of a float64 image's operations are gone after each, and what gradients keep of them is the narrow one."""
    layer, widened = nn.Linear(3, 4).requires_grad_(False), Widened()
    kept = []

    def keep(tensor: torch.Tensor) -> object:
        kept.append(widened.keep(tensor))
        return kept[-1] or (lambda: tensor)

    with saved_tensors_hooks(keep, lambda each: each()), widened:
        y = layer(torch.rand(2, 3, dtype=torch.float64).requires_grad_())
    assert (y.dtype, layer.weight.dtype) == (torch.float64, torch.float32)
    (again,) = (each() for each in kept if each)
    assert torch.equal(again.reshape(-1).sort()[0], layer.weight.double().reshape(-1).sort()[0])


@pytest.mark.parametrize("spills", [True, False])
def test_a_gradient_leaves_memory_to_the_file(spills: bool):
    """After the run forward only the last output is there; without the file, all are."""
    file, seen = io.BytesIO(), []
    keep = Spill(file).keep if spills else lambda tensor: lambda: tensor
    with saved_tensors_hooks(keep, lambda each: each()):
        y = x = torch.rand(2, 50).requires_grad_()
        for _ in range(5):
            y = y.sigmoid()
            seen.append(weakref.ref(y.untyped_storage()))
        assert sum(each() is not None for each in seen) == (1 if spills else 5)
        (gradient,) = torch.autograd.grad(y.sum(), x)
    assert gradient.abs().min() > 0
    assert len(file.getvalue()) == 5 * y.nbytes * spills


def test_the_file_is_used_again():
    """Each gradient writes over that of the one before; arrays of every shape and type come back."""
    file = io.BytesIO()
    spill, tensors = Spill(file), [torch.rand(3, 4).T, torch.tensor(2), torch.rand(0, 3), torch.tensor([True, False])]
    for _ in range(2):
        spill.clear()
        keeps = [spill.keep(tensor) for tensor in tensors]
        for tensor, found in zip(tensors, [keep() for keep in keeps], strict=True):
            assert found.dtype == tensor.dtype
            assert torch.equal(found, tensor)
    assert len(file.getvalue()) == sum(tensor.nbytes for tensor in tensors)
