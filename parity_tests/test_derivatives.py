"""Derivatives of second order and in forward mode: every block in PyTorch, and some in JAX."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from blocks import CASES, EXAMPLES
from bounds import FLOAT64
from runtimes import need

from attn_core import parity
from attn_core.interpreters import reference

SOFTMAX = [name for name, case in CASES.items() if getattr(case.block, "mode", "") in ("gaussian", "embedded_gaussian")]
NAMES = [name for name, case in CASES.items() if case in EXAMPLES.values() or (name in SOFTMAX and not case.train)]
LEFT_TO_THE_KERNEL = (
    "AffineSampler",
    "GridSampler",
    "SpatialTransformer",
)  # `grid_sample` has no forward mode; their docstrings say so
SMOOTH = [name for name in NAMES if not (CASES[name].cut or CASES[name].ties)]  # where differences are derivatives
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # which PyTorch itself calls


def torch_case(name: str):
    need("torch")
    import torch

    import attn_torch

    case = CASES[name]
    torch.manual_seed(0)
    layer = attn_torch.bind(case.block, case.weights, dtype=torch.float64).eval()
    inputs = [torch.tensor(array, dtype=torch.float64) for array in case.given]
    return torch, layer, inputs, [torch.randn_like(x) for x in inputs]


def forward_mode(name: str) -> bool:
    return type(CASES[name].block).__name__ not in LEFT_TO_THE_KERNEL


def slope(name: str, directions: list[np.ndarray], cotangent: np.ndarray) -> float:
    """Return what the reference says of the derivative along directions of the inputs."""
    case = CASES[name]
    along = dict(zip(case.block.inputs, directions, strict=True))
    return reference.slope(case.block, case.weights, case.inputs, cotangent, along)


@pytest.mark.parametrize("name", [name for name in NAMES if forward_mode(name)])
def test_torch_forward_mode(name: str):
    """Of `torch.func` and of `forward_ad`, as the reference has it."""
    torch, layer, inputs, directions = torch_case(name)
    output, found = torch.func.jvp(lambda *given: layer(*given), tuple(inputs), tuple(directions))
    with torch.autograd.forward_ad.dual_level():
        duals = map(torch.autograd.forward_ad.make_dual, inputs, directions)
        other = torch.autograd.forward_ad.unpack_dual(layer(*duals)).tangent
    cotangent = torch.randn_like(output)
    wanted = slope(name, [each.numpy() for each in directions], cotangent.numpy())
    for tangent in (found, other):
        terms = (tangent * cotangent).detach()
        assert abs(float(terms.sum()) - wanted) <= FLOAT64 * float(terms.abs().sum())


@pytest.mark.parametrize("name", SMOOTH)
def test_torch_gradients_of_gradients(name: str):
    """As finite differences of the gradient have them, for the inputs and all weights."""
    torch, layer, inputs, _ = torch_case(name)
    weights = list(layer.parameters())
    given = [each.detach().requires_grad_() for each in inputs]

    def function(*given):
        return layer(*given[: len(inputs)]).square().sum()  # so that linear blocks, too, have a second derivative

    assert torch.autograd.gradgradcheck(function, given, fast_mode=True)
    first = torch.autograd.grad(function(*given), [*given, *weights], create_graph=True, allow_unused=True)
    used = [each for each in first if each is not None and each.requires_grad]
    total = sum((each.square().sum() for each in used), torch.zeros((), dtype=torch.float64))
    assert all(each is None or each.isfinite().all() for each in torch.autograd.grad(total, given, allow_unused=True))


@pytest.mark.parametrize("name", SOFTMAX[:2])
def test_torch_hessians_agree(name: str):
    """Forward over reverse, reverse over reverse, and that of autograd."""
    torch, layer, (x, *_), _ = torch_case(name)
    function = lambda image: layer(image).square().sum()  # noqa: E731
    plain = torch.autograd.functional.hessian(function, x)
    for outer, inner in itertools.product([torch.func.jacfwd, torch.func.jacrev], [torch.func.jacrev]):
        found = outer(inner(function))(x)
        assert parity.error(found.detach().numpy(), plain.detach().numpy()) <= FLOAT64


def test_torch_first_gradients_are_the_kernels():
    """The matrix is made for a second derivative only, and forwards; also where one array is query, key and value."""
    need("torch")
    import torch

    from attn_torch import attention

    x = torch.randn(2, 7, 3, dtype=torch.float64, requires_grad=True)
    pull = torch.randn(2, 7, 3, dtype=torch.float64)
    (plain,) = torch.autograd.grad(attention.plain(x, x, x, 0.5), x, pull)
    for graph in (False, True):
        (found,) = torch.autograd.grad(attention.attention(x, x, x, 0.5), x, pull, create_graph=graph)
        assert parity.error(found.detach().numpy(), plain.detach().numpy()) <= FLOAT64
        assert found.requires_grad == graph


@pytest.mark.parametrize("name", ["default", "nl", "cbam", "st"])  # JAX differentiates every primitive itself
def test_jax_forward_mode_and_hessian_products(name: str):
    need("linen")
    import jax
    import jax.numpy as jnp

    from attn_jax import linen

    case = CASES[name]
    with jax.enable_x64(True):
        module, variables = linen.bind(case.block, case.weights, param_dtype="float64").unbind()
        rng = np.random.default_rng(0)
        given = list(case.given)
        along = [rng.standard_normal(array.shape) for array in given]
        images = case.block.images
        last = [
            [jnp.asarray(np.moveaxis(x, 1, -1) if i < images else x) for i, x in enumerate(a)] for a in (given, along)
        ]
        output, found = jax.jvp(lambda *x: module.apply(variables, *x), *map(tuple, last))
        cotangent = rng.standard_normal(np.moveaxis(output, -1, 1).shape if output.ndim > 2 else output.shape)
        native = np.moveaxis(cotangent, 1, -1) if output.ndim > 2 else cotangent
        terms = np.asarray(found) * native
        assert abs(terms.sum() - slope(name, along, cotangent)) <= FLOAT64 * abs(terms).sum()
        energy = jax.grad(lambda x: (module.apply(variables, x, *last[0][1:]) ** 2).sum())
        product = jax.jvp(energy, (last[0][0],), (last[1][0],))[1]
        again = jax.grad(lambda x: (energy(x) * last[1][0]).sum())(last[0][0])
        assert parity.error(np.asarray(product), np.asarray(again)) <= FLOAT64
