"""Resizing, against PyTorch's own kernel, which computes places in float64 for such images."""

from __future__ import annotations

import numpy as np
import pytest
from bounds import FLOAT64
from loops import resize
from runtimes import need

from attn_core import parity
from attn_core.interpreters.reference import ops

SIZES = {
    "line, up": ((2, 3, 5), (9,)),
    "line, down": ((2, 3, 9), (4,)),
    "image": ((2, 3, 5, 7), (9, 3)),
    "to one pixel": ((2, 3, 4, 5), (1, 1)),
    "from one pixel": ((2, 3, 1, 1), (3, 2)),
    "volume": ((1, 2, 3, 4, 2), (5, 2, 4)),
    "of its own size": ((2, 3, 4, 5), (4, 5)),
}
KERNELS = {1: "linear", 2: "bilinear", 3: "trilinear"}


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("kind", SIZES)
def test_the_definition_is_what_pytorch_does(kind: str, align_corners: bool):
    need("torch")
    import torch
    from torch.nn import functional

    shape, space = SIZES[kind]
    x = parity.sample_image(shape)
    kernel = KERNELS[len(space)]
    wanted = functional.interpolate(torch.tensor(x), space, mode=kernel, align_corners=align_corners).numpy()
    found = ops.resize(x, np.zeros((*shape[:2], *space)), align_corners)
    assert parity.error(found, wanted) < FLOAT64
    assert parity.error(resize(x, space, align_corners), wanted) < FLOAT64
