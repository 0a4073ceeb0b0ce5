"""Non-local blocks: cases, recordings, and equations 1 to 6 of the paper."""

from __future__ import annotations

import itertools
import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = NL = core.NonLocal

STILL = ("key.bias",)  # it adds the same number to all arguments of a softmax
CASES = {
    "nl": Case(NL(4), (2, 4, 2, 3), seed=33, still=STILL),
    "nl_line": Case(NL(3, 2, rank=1, scale="hidden"), (2, 3, 6), seed=34, still=STILL),
    "nl_volume": Case(NL(4, 2, rank=3, scale="channels", bias=False), (2, 4, 2, 3, 2), seed=4),
    "nl_norm": Case(NL(4, 1, scale="hidden", norm=True), (2, 4, 3, 2), seed=5, still=STILL),
    "nl_norm_train": Case(
        NL(3, 2, scale="channels", norm=True, momentum=0.3),
        (2, 3, 4, 2),
        seed=128,
        train=True,
        still=(*STILL, "value.bias", "project.bias"),
    ),
    "nl_subsample": Case(NL(3, 2, scale="channels", subsample=2), (2, 3, 5, 4), seed=126, still=STILL),
    "nl_subsample_volume": Case(NL(3, 2, rank=3, subsample=(1, 2, 2), bias=False), (1, 3, 3, 4, 3), seed=6),
    "nl_one_wide": Case(NL(5, hidden=4, scale="hidden"), (2, 5, 5, 1), seed=16, still=STILL),
    "nl_gaussian": Case(NL(4, 3, mode="gaussian", scale="channels"), (2, 4, 3, 3), seed=10),
    "nl_gaussian_line": Case(NL(3, 4, mode="gaussian", rank=1, norm=True), (2, 3, 7), seed=6),
    "nl_gaussian_subsample": Case(NL(4, mode="gaussian", scale="hidden", subsample=(2, 1)), (2, 4, 5, 2)),
    "nl_gaussian_ties": Case(NL(4, mode="gaussian", subsample=2), (2, 4, 4, 5), ties=True, alive=0.7),
    "nl_dot": Case(NL(4, mode="dot_product"), (2, 4, 3, 4)),
    "nl_dot_line": Case(NL(4, 3, mode="dot_product", rank=1, bias=False), (2, 4, 7)),
    "nl_dot_volume": Case(NL(3, 2, mode="dot_product", rank=3, subsample=(2, 1, 2), norm=True), (2, 3, 2, 3, 2)),
    "nl_dot_one_pixel": Case(NL(4, 3, mode="dot_product"), (3, 4, 1, 1)),
    "nl_concat": Case(NL(4, mode="concatenation"), (2, 4, 4, 3)),
    "nl_concat_line": Case(NL(4, 3, mode="concatenation", rank=1, subsample=2), (2, 4, 7)),
    "nl_concat_volume": Case(NL(3, 2, mode="concatenation", rank=3, bias=False), (2, 3, 2, 2, 3)),
    "nl_concat_one_pixel": Case(NL(4, 3, mode="concatenation"), (3, 4, 1, 1), seed=2),
}

ALEX = "alexhex7.NONLocalBlock"
BOTH = ("eval", "train")
DOT = {"mode": "dot_product"}  # which has the arrays of the embedded Gaussian
RECORDINGS = [
    Recording("official/alexhex7_embedded_gaussian_2d_plain", NL(16), ALEX),
    Recording("official/alexhex7_concatenation_2d_plain", NL(16, mode="concatenation"), ALEX),
    Recording("official/alexhex7_dot_product_1d", NL(16, subsample=2, rank=1, **DOT), ALEX, DOT),
    Recording("official/alexhex7_gaussian_2d", NL(16, mode="gaussian", subsample=2, norm=True), ALEX, modes=BOTH),
    Recording("official/mmcv_nonlocal2d_embedded_gaussian", NL(16, scale="hidden"), "mmcv.NonLocal"),
    Recording("official/timm_nl", NL(32, 8, scale="channels", norm=True), "timm.NonLocalAttn", modes=BOTH),
]

EXPRESSIBLE = {
    ALEX: [
        (NL(6), {}),
        (NL(5, 3, subsample=2, rank=1, **DOT), DOT),
        (NL(6, mode="gaussian", subsample=2, norm=True, momentum=0.3), {"momentum": 0.3}),
        (NL(6, 2, mode="concatenation", subsample=(1, 2, 2), norm=True, rank=3), {}),
    ],
    "mmcv.NonLocal": [
        (NL(6, scale="hidden"), {}),
        (NL(5, 5, rank=1, **DOT), DOT),
        (NL(6, mode="gaussian", subsample=(1, 2, 2), rank=3), {}),
        (NL(6, 2, mode="concatenation", subsample=2), {}),
        (NL(6, norm=True), {"scale": "none"}),
    ],
    "timm.NonLocalAttn": [(NL(16, 8, scale="channels", norm=True), {}), (NL(4, 2, norm=True), {"scale": "none"})],
}

REFUSED = {
    "NonLocal(8, mode='softmax')": (
        "NonLocal(channels=8, hidden=None, mode='softmax'): "
        "mode must be one of embedded_gaussian, gaussian, dot_product, concatenation; got 'softmax'."
    ),
    "NonLocal(8, mode='dot_product', scale='hidden')": (
        "NonLocal(channels=8, hidden=None, mode='dot_product', scale='hidden'): "
        "only the softmax modes, embedded_gaussian and gaussian, have a scale; it must be 'none'."
    ),
    "NonLocal(8, subsample=(2,))": (
        "NonLocal(channels=8, hidden=None, subsample=(2,)): "
        "subsample must be a number of pixels, at least 1, or one for each of 2 axes."
    ),
    "NonLocal(8, hidden=0)": "NonLocal(channels=8, hidden=0) leaves no hidden channel: hidden must be at least 1.",
}


def naive(block: core.NonLocal, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """Each pair of positions after the other."""
    hidden = block.channels // 2 if block.hidden is None else block.hidden
    pixels = list(np.ndindex(x.shape[2:]))
    z = np.empty_like(x)
    for n in range(len(x)):
        theta = linear(w, "query", x[n])
        places, phi = strongest(block, linear(w, "key", x[n]))
        _, g = strongest(block, linear(w, "value", x[n]))
        for i in pixels:
            weights = [relation(block, w, hidden, theta[(..., *i)], phi[(..., *j)]) for j in places]
            total = math.fsum(weights) if "gaussian" in block.mode else len(places)
            y = sum(weight * g[(..., *j)] for weight, j in zip(weights, places, strict=True)) / total
            z[(n, ..., *i)] = w["project.weight"].reshape(-1, hidden) @ y + w.get("project.bias", 0.0)
    return x + (normalised(w, z, train) if block.norm else z)


def linear(w: dict[str, np.ndarray], name: str, image: np.ndarray) -> np.ndarray:
    """W x + b at every pixel; x itself if there are no such weights."""
    if f"{name}.weight" not in w:
        return image
    matrix = w[f"{name}.weight"]
    bias = w.get(f"{name}.bias", np.zeros(len(matrix)))
    return np.stack([sum(m * plane for m, plane in zip(row.ravel(), image, strict=True)) for row in matrix]) + (
        bias.reshape(-1, *(1,) * (image.ndim - 1))
    )


def strongest(block: core.NonLocal, image: np.ndarray) -> tuple[list[tuple[int, ...]], np.ndarray]:
    """Return the positions j, and the maxima of their windows."""
    given = block.subsample
    steps = given if isinstance(given, tuple) else [given] * (image.ndim - 1)
    sizes = [size // step for size, step in zip(image.shape[1:], steps, strict=True)]
    found = np.full((len(image), *sizes), -np.inf)
    for j in np.ndindex(*sizes):
        for inside in itertools.product(*map(range, steps)):
            at = tuple(a * step + b for a, step, b in zip(j, steps, inside, strict=True))
            found[(..., *j)] = np.maximum(found[(..., *j)], image[(..., *at)])
    return list(np.ndindex(*sizes)), found


def relation(block: core.NonLocal, w: dict[str, np.ndarray], hidden: int, theta: np.ndarray, phi: np.ndarray) -> float:
    """Return f for one pair: equations 2 to 5."""
    if block.mode == "dot_product":
        return theta @ phi
    if block.mode == "concatenation":
        w_f = np.concatenate([w["query_score.weight"], w["key_score.weight"]], 1)[0]
        return max(0.0, w_f @ np.concatenate([theta, phi]))
    divisor = {"none": 1, "hidden": hidden, "channels": block.channels}[block.scale]
    return math.exp(theta @ phi / math.sqrt(divisor))


def normalised(w: dict[str, np.ndarray], z: np.ndarray, train: bool) -> np.ndarray:
    """Channel after channel."""
    result = np.empty_like(z)
    for c in range(z.shape[1]):
        mean = z[:, c].mean() if train else w["norm.running_mean"][c]
        variance = z[:, c].var() if train else w["norm.running_var"][c]
        result[:, c] = (z[:, c] - mean) / math.sqrt(variance + 1e-5) * w["norm.weight"][c] + w["norm.bias"][c]
    return result
