"""How far a runtime may be from the float64 reference. A bound belongs to a block and a dtype, never to a test.

In float32 it is derived from the block (`attn_core.interpreters.rounding`, `Case.share`): a number picked by hand holds
on one processor and not on the next, which adds in another order. In float64 there is room: one number holds for all
blocks, a thousand times what one rounding does. On x86-64 it holds whatever the instruction set; on arm64, where nobody
has run it, sums are no longer and roundings no coarser.
"""

from __future__ import annotations

from attn_core.interpreters.rounding import Bounded
from attn_core.parity import Outcome, compared, errors

# In the units of `parity.error`: absolute for arrays of unit scale, relative above.
FLOAT64 = 1e-12

# What is run. No float64 on torch behind Keras 3.15, which multiplies matrices of float64 in float32 there.
RUNTIMES = ("torch", "keras-tensorflow", "keras-jax", "keras-torch", "linen", "nnx")
RUNS = [
    (name, dtype)
    for name in RUNTIMES
    for dtype in ("float64", "float32")
    if (name, dtype) != ("keras-torch", "float64")
]

# Their running variances move to the biased variance of a batch; PyTorch's and the reference's to the unbiased one.
BIASED = {*RUNTIMES} - {"torch"}

# What JAX compiles takes a second each time: there, float32 is run on one case or shape of each kind, float64 on all.
COMPILED = ("keras-jax", "linen", "nnx")

# Against recordings, relative to the largest number of each array: some were made with weights and images whose
# gradients are sums of many large terms.
RECORDED = {"float64": 1e-12, "float32": 1e-5}
TENSORFLOW_1 = {"output": 1e-5, "gate": 1e-6}  # absolute

# Ported networks, against the graph itself: a source says an epsilon in decimals, where the graph has its float32.
PORTED = {"float64": 2e-6, "float32": 1e-5}

# Of squeeze-and-excitation, four rounding steps of the type. Rounded are the image, the mean, weights and results of
# two layers, gate and product.
HALF = {"bfloat16": 4 * 2.0**-8, "float16": 4 * 2.0**-11}

# A network into which attention was inserted, at the start and as its compilers run it: the promise of docs/insert.md,
# relative to the largest number. The formula alone would leave two roundings of float32, 1.2e-7, at each place.
INSERTED = 1e-6


def assert_agrees(found: Outcome, wanted: Bounded, dtype: str, still: tuple[str, ...] = ()) -> None:
    """Assert that both hold the same arrays, each within its bounds, and that those wanted are of unit scale.

    `still` names those whose gradient is 0 but for rounding.
    """
    for name, array in wanted.values.arrays().items():
        scale = abs(array).max()
        assert scale > 0.1 or name.removeprefix("grad:") in still, f"{name} is nearly zero: it proves little"
    assert not [tensor for tensor in compared(found, wanted) if not tensor.passed], "more than rounding explains"
    if dtype == "float64":
        beyond = {name: error for name, error in errors(found, wanted.values).items() if not error <= FLOAT64}
        assert not beyond, f"beyond {FLOAT64}: {beyond}"
