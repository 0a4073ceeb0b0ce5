"""Statistics of a batch that is spread over processes."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from attn_torch.running import Running


class _Total(torch.autograd.Function):
    """The sum over processes, of which each process's part gets the gradients of all."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, group: Any) -> Tensor:
        ctx.group = group
        total = part.clone()
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total, group=ctx.group)
        return total, None


class SynchronizedBatchNorm(_BatchNorm):
    """Batch norm whose moments in training are those of all processes' samples, on any device.

    PyTorch's `SyncBatchNorm` is for accelerators alone. Here as there, processes may have different numbers of samples.
    """

    process_group: Any = None

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each channel of an image."""
        if not self.training or _size(self.process_group) == 1:
            return super().forward(input)
        self._check_input_dim(input)
        axes = [0, *range(2, input.dim())]
        x = input.to(torch.promote_types(input.dtype, torch.float32))
        numbers = x.new_tensor([x.numel() // x.shape[1]])
        dist.all_reduce(numbers, group=self.process_group)
        # The mean first: E(x²) - E(x)² would cancel where the mean is large.
        mean = self._sum(x, axes) / numbers
        centred = x - _spread(mean, x)
        variance = self._sum(centred**2, axes) / numbers
        self._move(mean, variance, numbers)
        y = centred * _spread(torch.rsqrt(variance + self.eps), x)
        if self.affine:
            y = y * _spread(self.weight, x) + _spread(self.bias, x)
        return y.to(input.dtype)

    def _sum(self, x: Tensor, axes: list[int]) -> Tensor:
        total: Tensor = _Total.apply(x.sum(axes), self.process_group)  # type: ignore[no-untyped-call]
        return total

    @torch.no_grad()
    def _move(self, mean: Tensor, variance: Tensor, numbers: Tensor) -> None:
        count = self.num_batches_tracked
        if count is None or not numbers.item():  # nothing is tracked, or no process has a sample
            return
        count += 1
        share = 1 / int(count) if self.momentum is None else self.momentum
        unbiased = variance * (numbers / (numbers - 1).clamp(min=1))
        for running, new in ((self.running_mean, mean), (self.running_var, unbiased)):
            if running is not None:
                running.lerp_(new.to(running.dtype), share)


def synchronized(network: nn.Module, process_group: Any = None) -> nn.Module:
    """Let a network's statistics in training be those of the whole batch, spread over the processes of a group.

    Batch norms of any kind are replaced, in `network` itself, by ones that add up over processes; running arrays of
    this package's layers, such as the bases of `ExpectationMaximizationAttention`, move by the mean over them. Weights,
    names and the `state_dict` stay. Returns the network, or what takes its place if it is a batch norm. Call it before
    `DistributedDataParallel`, and initialise `torch.distributed` before the first training step.

    `torch.nn.SyncBatchNorm.convert_sync_batchnorm` does the same for batch norms alone, and on accelerators alone.
    """
    for module in network.modules():
        if isinstance(module, Running):
            module.synchronise(process_group)
    return _replaced(network, process_group)


def _replaced(module: nn.Module, process_group: Any) -> nn.Module:
    if isinstance(module, _BatchNorm) and not isinstance(module, SynchronizedBatchNorm):
        return _converted(module, process_group)
    for name, child in module.named_children():
        setattr(module, name, _replaced(child, process_group))
    return module


def _converted(norm: _BatchNorm, process_group: Any) -> SynchronizedBatchNorm:
    """Return a norm with the same arrays: an optimizer that knows them stays right."""
    found = SynchronizedBatchNorm(
        norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats, device="meta"
    )
    for name, parameter in norm.named_parameters(recurse=False):
        setattr(found, name, parameter)
    for name, buffer in norm.named_buffers(recurse=False):
        setattr(found, name, buffer)
    found.process_group = process_group
    return found.train(norm.training)


def _size(group: Any) -> int:
    return dist.get_world_size(group) if dist.is_available() and dist.is_initialized() else 1


def _spread(numbers: Tensor, x: Tensor) -> Tensor:
    """Lay a number for each channel along the channels of an image."""
    return numbers.reshape(1, -1, *(1,) * (x.dim() - 2))
