"""What PyTorch and JAX users do with a layer, done with every block; Keras users' part is in `keras_checks`.

Exports are in `test_export.py`.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from blocks import EXAMPLES
from cases import Case
from runtimes import need
from tiers import left

from attn_core import parity

NAMES = list(EXAMPLES)


def resized(case: Case) -> Case:
    """Return the case on an image of another size, where the block allows that."""
    size = getattr(case.block, "size", None) if case.block.parts() else None
    shape = (*case.shape[:2], *(n + 1 + i for i, n in enumerate(case.shape[2:])))
    return case if size is not None else replace(case, shape=shape)


def given(case: Case) -> tuple[np.ndarray, ...]:
    return tuple(array.astype(np.float32) for array in case.given)


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


def torch_module(case: Case):
    need("torch")
    import torch

    import attn_torch

    return attn_torch.bind(case.block, case.weights).eval(), lambda c: tuple(map(torch.tensor, given(c)))


# Only inductor writes C++, and moves buffers about: what is read before an update must not be read after it.
INDUCTOR = "inductor" if shutil.which("g++") else "aot_eager"


def trains(name: str) -> None:
    """Compile a training step: running statistics move as they do without the compiler."""
    case = replace(EXAMPLES[name], train=True)
    module, tensors = torch_module(case)
    import torch

    import attn_torch

    backend = INDUCTOR if "bases" in dict(module.named_children()) else "aot_eager"
    image, *more = tensors(case)
    compiled = torch.compile(module.train(), fullgraph=True, backend=backend)
    output = compiled(image.requires_grad_(), *more)
    output.backward(torch.tensor(case.cotangent, dtype=torch.float32))
    weights = attn_torch.weights(module)
    moved = {name: weights[name] for name, array in case.block.arrays().items() if not array.trainable}
    assert case.share(output.detach(), gradients={"input": image.grad}, statistics=moved) <= 1


def takes_other_sizes(name: str, backend: str) -> None:
    """Compile with sizes left open: what is compiled once is right at two."""
    case = EXAMPLES[name]
    module, tensors = torch_module(case)
    import torch

    compiled = torch.compile(module, fullgraph=True, dynamic=True, backend=backend)
    for each in (case, resized(case)):
        assert each.share(compiled(*tensors(each)).detach()) <= 1


# Dynamo alone finds graph breaks, and what follows it is run on all in training. Symbols take it ten times as long as
# numbers; that every block's sizes can be symbols, `test_torch_exports_with_unknown_sizes` proves.
OPEN = ("CBAM", "ShuffleAttention", "SpatialTransformer")
WAYS = [(name, "training") for name in NAMES] + [("SqueezeExcitation", INDUCTOR), ("NonLocal", INDUCTOR)]
WAYS += [
    (name, "eager") if name in OPEN else left((name, "eager"), "the block in training, and exported") for name in NAMES
]
WAYS += [left((name, "aot_eager"), "the block in training, 'eager' and 'inductor' on some") for name in NAMES]


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_torch_compiles_without_a_graph_break(name: str, way: str):
    need("torch")
    import torch

    torch.compiler.reset()
    if way == "training":
        trains(name)
    else:
        takes_other_sizes(name, backend=way)


@pytest.mark.parametrize("name", NAMES)
def test_torch_state_dict_is_canonical(name: str):
    module, _ = torch_module(EXAMPLES[name])
    names = [key for key in module.state_dict() if not key.endswith("num_batches_tracked")]
    assert names == list(module.block.arrays())
    assert [key for key, _ in module.named_parameters()] == [k for k, a in module.block.arrays().items() if a.trainable]


@pytest.mark.parametrize("name", NAMES)
def test_torch_device(name: str):
    need("torch")
    import attn_torch

    module = attn_torch.bind(EXAMPLES[name].block, device="meta")
    assert all(tensor.is_meta for tensor in module.state_dict().values())


# ---- JAX -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_linen_jit_and_vmap(name: str):
    """One image at a time; the whole batch is compiled in `test_parity.py`."""
    need("linen")
    import jax

    from attn_jax import linen

    case = EXAMPLES[name]
    module, variables = linen.bind(case.block, case.weights).unbind()

    def of_one(*one):
        return module.apply(variables, *(array[None] for array in one))[0]

    assert case.share(canonical(jax.jit(jax.vmap(of_one))(*case.channels_last))) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_nnx_jit_train_and_eval(name: str):
    """`train()` and `eval()` switch what the block normalises with, and only training moves running arrays."""
    need("nnx")
    from flax import nnx

    import attn_jax.nnx as package

    case = EXAMPLES[name]
    module = package.bind(case.block, case.weights)
    inputs = case.channels_last
    run = nnx.jit(lambda module, *inputs: module(*inputs))
    module.eval()
    assert case.share(canonical(run(module, *inputs))) <= 1
    assert all(parity.error(array, case.weights[key]) == 0 for key, array in package.weights(module).items())
    module.train()
    output = canonical(run(module, *inputs))
    weights = package.weights(module)
    moved = {name: weights[name] for name, array in case.block.arrays().items() if not array.trainable}
    assert replace(case, train=True).share(output, unbiased=False, statistics=moved) <= 1


def canonical(output) -> np.ndarray:
    array = np.asarray(output)
    return np.moveaxis(array, -1, 1) if array.ndim > 2 else array


# ---- Keras -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_keras_symbolic_saved_and_loaded(keras_backend: str, name: str, tmp_path):
    """A functional model with unknown sizes, saved and loaded whole, runs on images of two sizes."""
    from runtimes import in_keras

    case = EXAMPLES[name]
    in_keras(keras_backend, "keras_checks", "symbolic_saved_and_loaded", case, resized(case), str(tmp_path))
