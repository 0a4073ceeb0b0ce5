"""How far a runtime may be from the float64 reference. A bound belongs to a runtime and a dtype, never to a test."""

from __future__ import annotations

from attn_core.parity import Outcome, errors

# In the units of `parity.error`: absolute for arrays of unit scale, relative above.
FLOAT64 = 1e-12
FLOAT32 = 1e-6

BOUNDS = {
    ("torch", "float64"): FLOAT64,
    ("torch", "float32"): FLOAT32,
    ("keras-tensorflow", "float64"): FLOAT64,
    ("keras-tensorflow", "float32"): FLOAT32,
    ("keras-jax", "float64"): FLOAT64,
    ("keras-jax", "float32"): FLOAT32,
    # No float64: on this backend Keras 3.15 multiplies matrices of float64 in float32.
    ("keras-torch", "float32"): FLOAT32,
    ("linen", "float64"): FLOAT64,
    ("linen", "float32"): FLOAT32,
    ("nnx", "float64"): FLOAT64,
    ("nnx", "float32"): FLOAT32,
}

# Their running variances move to the biased variance of a batch; PyTorch's and the reference's to the unbiased one.
BIASED = {name for name, _ in BOUNDS} - {"torch"}

# What JAX compiles takes a second each time: there, float32 is run on one case or shape of each kind, float64 on all.
COMPILED = ("keras-jax", "linen", "nnx")

# Against recordings, relative to the largest number of each array: some were made with weights and images whose
# gradients are sums of many large terms.
RECORDED = {"float64": 1e-12, "float32": 1e-5}
TENSORFLOW_1 = {"output": 1e-5, "gate": 1e-6}  # absolute

# Ported networks, against the graph itself: a source says an epsilon in decimals, where the graph has its float32.
PORTED = {"float64": 2e-6, "float32": 1e-5}

# Four rounding steps of the type. Rounded are the image, the mean, weights and results of two layers, gate and product.
HALF = {"bfloat16": 4 * 2.0**-8, "float16": 4 * 2.0**-11}


def assert_agrees(found: Outcome, wanted: Outcome, bound: float, still: tuple[str, ...] = ()) -> None:
    """Assert that both hold the same arrays, each within the bound, and that those wanted are of unit scale.

    `still` names those whose gradient is 0 but for rounding.
    """
    for name, array in wanted.arrays().items():
        scale = abs(array).max()
        assert scale > 0.1 or name.removeprefix("grad:") in still, f"{name} is nearly zero: it proves little"
    beyond = {name: error for name, error in errors(found, wanted).items() if not error <= bound}
    assert not beyond, f"beyond {bound}: {beyond}"
