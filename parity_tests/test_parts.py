"""Every part is run through its own call, so that hooks, wrappers and sharding see it, in every runtime."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
from blocks import CASES, EXAMPLES
from runtimes import in_keras, need, run

import attn_core as core
from attn_core.spec.parts import Dense

# Blocks made of blocks, which are where a part could be run by another way than its call.
NESTED = ["cbam_official", "residual_strided", "residual_preactivation"]
OTHERS = [*(name for name in CASES if CASES[name] in EXAMPLES.values()), *NESTED]


@pytest.mark.parametrize("name", CASES)
def test_torch_calls_every_part(name: str):
    need("torch")
    import torch

    import attn_torch

    layer, called = attn_torch.bind(CASES[name].block), set()
    modules = {path: module for path, module in layer.named_modules() if path}
    for path, module in modules.items():
        module.register_forward_hook(lambda *_, path=path: called.add(path))
    layer(*(torch.tensor(array, dtype=torch.float32) for array in CASES[name].given))
    assert set(modules) - called == set()


@pytest.mark.parametrize("name", OTHERS)
def test_linen_calls_every_part(name: str):
    need("linen")
    import jax
    from flax import linen as nn

    from attn_jax import linen

    called, made = set(), set()

    def note(run, given, options, context):
        path = "/".join(context.module.path)
        (called if context.method_name == "__call__" else made).add(path)
        return run(*given, **options)

    with nn.intercept_methods(note):  # shapes alone: what is called is known without the numbers
        jax.eval_shape(lambda *given: linen.bind(CASES[name].block)(*given), *CASES[name].channels_last)
    parts = {path.replace(".", "/").rpartition("/")[0] for path in CASES[name].block.arrays()}
    assert (parts | made) - called == set()


@contextmanager
def noting(kinds: set[type], called: set[int]) -> Iterator[None]:
    """Let the call of each class note whose call it is."""
    saved = {kind: vars(kind)["__call__"] for kind in kinds}

    def noted(own):
        def __call__(self, *given, **options):  # noqa: N807
            called.add(id(self))
            return own(self, *given, **options)

        return __call__

    for kind, own in saved.items():
        kind.__call__ = noted(own)
    try:
        yield
    finally:
        for kind, own in saved.items():
            kind.__call__ = own


@pytest.mark.parametrize("name", OTHERS)
def test_nnx_calls_every_part(name: str):
    need("nnx")
    from flax import nnx

    from attn_jax import nnx as package

    module, called = package.bind(CASES[name].block), set()
    parts = {"/".join(map(str, path)): part for path, part in nnx.iter_modules(module) if path}
    classes = {kind for part in parts.values() for kind in type(part).__mro__ if "__call__" in vars(kind)}
    with noting({kind for kind in classes if issubclass(kind, nnx.Module) and kind is not nnx.Module}, called):
        module(*CASES[name].channels_last)
    assert set(parts) - {path for path, part in parts.items() if id(part) in called} == set()


@pytest.mark.parametrize("name", OTHERS)
def test_keras_calls_every_part(keras_backend: str, name: str):
    parts, called = in_keras(keras_backend, "keras_parts", "called", CASES[name])
    assert parts - called == set()


def test_cbam_is_its_halves_in_torch():
    """What somebody puts around a half is seen: a hook that changes its output changes that of the whole."""
    need("torch")
    import torch

    import attn_torch

    layer, x = attn_torch.CBAM(8, 2, 3).eval(), torch.randn(2, 8, 4, 5)
    layer.channel.register_forward_hook(lambda module, given, output: given[0])
    assert torch.equal(layer(x), layer.spatial(x))


@dataclass(frozen=True)
class Named(core.Block):
    """A block of a user, whose one part has any name."""

    name: str

    def parts(self):
        return {self.name: Dense(4, 4)}

    def forward(self, f, p, x):
        return f.scale(x, getattr(p, self.name)(f.global_mean(x)))


TAKEN = {  # by runtime: names of attributes, of which some took the layer's place and some the part's
    "torch": ("PyTorch", ["block", "forward", "training", "gates", "eval", "half"]),
    "nnx": ("NNX", ["block", "dtype", "eval", "run"]),
    "keras-tensorflow": ("Keras", ["of", "options", "block", "weights", "name", "call", "given", "built", "dtype"]),
    "linen": ("Linen", []),  # where parts are no attributes
}


@pytest.mark.parametrize("name", TAKEN)
def test_names_of_parts(name: str):
    """One that a layer's attribute has is refused, any other identifier works."""
    where, taken = TAKEN[name]
    x = np.ones((1, 4, 3, 3))
    for part in taken:
        block = Named(part)
        with pytest.raises(core.SpecError) as caught:
            run(need(name), block, core.initialise(block), x)
        rule = f"layers in {where} have an attribute of that name; call the part otherwise."
        assert str(caught.value) == f"{block!r} has a part {part!r}: {rule}"
    for part in {"kernel", "_own", "weights", "block"} - set(taken):
        block = Named(part)
        assert run(name, block, core.initialise(block), x).output.shape == x.shape
    block = Named("a.b")
    with pytest.raises(core.SpecError, match=r"the name of a part must be an identifier of Python, got 'a\.b'\."):
        run(name, block, core.initialise(block), x)
