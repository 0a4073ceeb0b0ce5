"""An array that moves in training, as the bases of expectation-maximization attention do."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

# A copy that Inductor cannot look into: it removes clones, and the backward pass then reads the array after its update.
torch.library.define("attn_torch::snapshot", "(Tensor array) -> Tensor")
torch.library.impl("attn_torch::snapshot", "default", torch.clone)

MOVED = (
    "torch.utils.checkpoint computes a forward pass again, but the running array that it read has moved since: another "
    "forward pass of this layer came between. Call backward() after each forward pass, or leave the layer out of "
    "checkpointing."
)


class Running(nn.Module):
    """An array that moves in training, without a gradient.

    Activation checkpointing computes a forward pass a second time, when the array has moved. That pass reads what the
    first one read, and moves nothing; it must be of the last forward pass, or a `RuntimeError` says so.
    """

    value: Tensor

    def __init__(self, shape: tuple[int, ...], momentum: float, **placement: Any) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("value", torch.empty(shape, **placement))
        # What the last forward pass read, and what it moved towards: no state of a network, so no buffers.
        self._read: Tensor | None = None
        self._new: Tensor | None = None
        self._is_synchronised, self._group = False, None

    def forward(self) -> Tensor:
        """Return the array; a copy in training, whose backward pass comes after the update."""
        if not self.training:
            return self.value
        if _is_second_pass() and self._read is not None:
            return self._read
        array: Tensor = torch.ops.attn_torch.snapshot(self.value)
        if not torch.compiler.is_compiling():
            self._read, self._new = array, None
        return array

    def update(self, new: Tensor) -> None:
        """Move towards a new value in training, unless it holds a NaN, as the mean of no samples does."""
        if not self.training:
            return
        with torch.no_grad():
            new = self._of_all(new.to(self.value.dtype))
            if _is_second_pass() and self._new is not None:
                _require_equal(new, self._new)
                return
            if not torch.compiler.is_compiling():
                self._new = new
            moved = self.value.lerp(new, self.momentum)
            self.value.copy_(torch.where(torch.isnan(new).any(), self.value, moved))

    def synchronise(self, process_group: Any) -> None:
        """Move by the mean over the processes of a group from now on."""
        self._is_synchronised, self._group = True, process_group

    def _of_all(self, new: Tensor) -> Tensor:
        """Return the mean over the processes that have one: that of no samples is NaN."""
        if not self._is_synchronised or not dist.is_initialized():
            return new
        has_one = ~torch.isnan(new).any()
        sums = torch.stack([torch.where(has_one, new, 0), has_one.to(new.dtype).expand_as(new)])
        dist.all_reduce(sums, group=self._group)
        mean: Tensor = sums[0] / sums[1]
        return mean

    def extra_repr(self) -> str:
        """Show the configuration in `print(model)`."""
        return f"{tuple(self.value.shape)}, momentum={self.momentum}"


def _is_second_pass() -> bool:
    """Whether this forward pass is run within a backward pass, as checkpointing does."""
    # A compiler sees no backward pass: it cuts one out of the forward pass that it traces.
    return not torch.compiler.is_compiling() and torch._C._current_graph_task_id() != -1


def _require_equal(new: Tensor, first: Tensor) -> None:
    """Check that both passes were of the same images; sums without a fixed order may round otherwise."""
    noise = torch.finfo(new.dtype).eps ** 0.5
    if new.shape != first.shape or bool((new - first).abs().max() > noise):
        raise RuntimeError(MOVED)
