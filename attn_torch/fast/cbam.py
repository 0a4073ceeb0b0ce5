"""CBAM, both halves in one.

A step of training takes 0.5 of the plain form's time (8 x 256 x 56 x 56, one thread, as docs/fast.md has it), the call
alone 0.9. Half as much is kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_torch.fast import kernels
from attn_torch.fast.channel_attention import gate, pooled
from attn_torch.fast.pair import Kept, Known, Pair, left, moving, pull_back
from attn_torch.layer import Layer


class CBAM(Pair, of=core.CBAM):
    """Keeps what is pooled and where the maxima are; the scaled image between the halves is computed again.

    It stands in the output until that is computed, one sample at a time, so that a cache may hold it.
    """

    @classmethod
    def fits(cls, layer: Layer, x: Tensor) -> bool:
        """Say whether the image has the channels and the rank."""
        block: Any = layer.block
        return x.ndim == block.rank + 2 and super().fits(layer, x)

    def forward(self, x: Tensor, differentiated: bool) -> tuple[Tensor, Kept]:
        """Compute x' = M_c * x, then M_s(x') * x'."""
        pools = pooled(self.layer.channel.block, x, differentiated)
        scale = gate(self.layer.channel.block, self.layer.channel, *pools[:2])
        output, pixels = torch.empty_like(x), x.flatten(2)
        found = [
            _of_channels(torch.mul(one, factor[:, None], out=result), differentiated)
            for one, factor, result in zip(pixels, scale, output.flatten(2), strict=True)
        ]
        means, maxima, channels = zip(*found, strict=True)
        mean, largest = torch.stack(means), torch.stack(maxima)
        output *= self._spatial(self.layer, mean, largest, x)
        return output, (*pools, mean, largest, torch.stack(channels) if differentiated else None)

    def backward(self, p: Any, x: Tensor, kept: Kept, pull: Tensor, moves: bool) -> Tensor | None:
        """With g the pull: dL/dM_s = sum of g * x' over channels, and dL/dx' = g * M_s + dL/dmean / C.

        To that, dL/dmax is added at the channels that have the maxima. Then as in `ChannelAttention`, whose pull it is.
        """
        (mean, largest), index = (moving(each) for each in kept[:2]), kept[2]
        means, maxima, channels = moving(kept[3]), moving(kept[4]), kept[5]
        with torch.enable_grad():
            scale = gate(self.layer.channel.block, p.channel, mean, largest)
            spatial = self._spatial(p, means, maxima, x)
        factor, plane = scale.detach(), spatial.detach().flatten(1)
        pixels, pulls = x.flatten(2), pull.flatten(2)
        product = torch.empty_like(pixels[0])
        to_plane, to_scale = torch.empty_like(plane), torch.empty_like(factor)
        for n in range(len(x)):
            torch.mul(pulls[n], pixels[n], out=product)
            torch.mv(product.mT, factor[n], out=to_plane[n])
            torch.mv(product, plane[n], out=to_scale[n])
        pull_back(spatial, to_plane.view(spatial.shape))
        even, peaks = left(means).flatten(1) / x.shape[1], left(maxima).flatten(1)
        to_scale += torch.bmm(even[:, None], pixels.mT)[:, 0]
        to_scale.scatter_add_(1, channels, peaks * pixels.gather(1, channels[:, None])[:, 0])
        pull_back(scale, to_scale)
        if not moves:
            return None
        result = torch.empty_like(x)
        shift = torch.zeros_like(factor) if mean is None else left(mean) / pixels.shape[-1]
        for n, written in enumerate(result.flatten(2)):
            torch.addcmul(even[n], pulls[n], plane[n], out=product)
            kernels.shifted_scaled_into(written, product, factor[n], shift[n])
        result.flatten(2).scatter_add_(1, channels[:, None], (peaks * factor.gather(1, channels))[:, None])
        if index is not None:
            kernels.spread(left(largest), index, result)
        return result

    def _spatial(self, p: Any, mean: Tensor, largest: Tensor, x: Tensor) -> Tensor:
        """Compute M_s, an image of one channel, of what is pooled over the channels."""
        known = Known(channel_mean=mean.view(-1, 1, *x.shape[2:]), channel_max=largest.view(-1, 1, *x.shape[2:]))
        found: Tensor = self.layer.spatial.block.gates(known, p.spatial, x)["spatial"]
        return found


def _of_channels(pixels: Tensor, indexed: bool) -> tuple[Tensor, Tensor, Any]:
    return pixels.sum(0).div_(len(pixels)), *kernels.channel_max(pixels, indexed)
