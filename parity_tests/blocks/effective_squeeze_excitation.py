"""Effective squeeze-and-excitation: cases, recordings, and the paper's equations of eSE."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = ESE = core.EffectiveSqueezeExcitation

CASES = {
    "ese": Case(ESE(4), (2, 4, 3, 2)),
    "ese_line": Case(ESE(3), (2, 3, 5)),
    "ese_volume": Case(ESE(3, gate="sigmoid"), (2, 3, 2, 3, 1)),
    "ese_one_pixel": Case(ESE(3, bias=False), (3, 3, 1, 1)),
}

SIXTH = float(np.float32(1 / 6))


@dataclass(frozen=True, repr=False)
class GateOfPyTorch(ESE):
    """The block with PyTorch's `hardsigmoid`, whose derivative is a sixth of float32 also in float64, as in timm."""

    def gates(self, f: Any, p: Any, x: Any) -> dict[str, Any]:
        gate = super().gates(f, p, x)["channel"]
        return {"channel": f.add(f.linear(gate, 6 * SIXTH), f.linear(f.stop_gradient(gate), 1 - 6 * SIXTH))}


RECORDINGS = [
    Recording("official/vovnet_ese", ESE(32), "vovnet.eSEModule"),
    Recording("official/timm_ese", ESE(32), "timm.EffectiveSEModule", as_run=GateOfPyTorch(32)),
]

SIGMOID = {"gate": "sigmoid"}
EXPRESSIBLE = {
    "vovnet.eSEModule": [(ESE(32), {}), (ESE(7), {})],
    "timm.EffectiveSEModule": [(ESE(32), {}), (ESE(7, gate="sigmoid"), SIGMOID)],
}

REFUSED = {
    "EffectiveSqueezeExcitation(0)": "EffectiveSqueezeExcitation(channels=0): channels must be at least 1.",
    "EffectiveSqueezeExcitation(8, bias=1)": "EffectiveSqueezeExcitation: bias must be bool, got 1.",
    "EffectiveSqueezeExcitation(8, gate='relu6')": (
        "EffectiveSqueezeExcitation(channels=8, gate='relu6'): gate must be one of sigmoid, hard_sigmoid; got 'relu6'."
    ),
}


def naive(block: core.EffectiveSqueezeExcitation, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One number after the other."""
    output = np.empty_like(x)
    for n in range(x.shape[0]):
        z = [math.fsum(x[n, c].ravel()) / x[n, c].size for c in range(block.channels)]
        for c in range(block.channels):
            total = math.fsum(w["dense.weight"][c, i] * z[i] for i in range(block.channels))
            total += w["dense.bias"][c] if block.bias else 0.0
            soft, hard = 1 / (1 + math.exp(-total)), min(max(total + 3, 0.0), 6.0) / 6
            output[n, c] = (hard if block.gate == "hard_sigmoid" else soft) * x[n, c]
    return output
