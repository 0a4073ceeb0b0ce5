"""What a run keeps for its backward pass, and the most memory that it takes at one time."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # PyTorch's profiler writes two lines on stderr for each run

Run = Callable[[], object]


def kept(run: Run, layer: nn.Module) -> int:
    """Return the bytes that a forward pass keeps, of which the image may be a part; the layer's own do not count."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*layer.parameters(), *layer.buffers())}
    storages: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage  # held, or another could take its place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = run()
    del output
    return sum(storage.nbytes() for at, storage in storages.items() if at not in own)


def peak(run: Run, device: torch.device) -> int | None:
    """Return the most bytes that a run takes at one time beside what was there before; None where nothing tells."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    return _on_processor(run) if device.type == "cpu" else None


def _on_processor(run: Run) -> int:
    """Add up what PyTorch's allocator is asked for and given back, as its profiler sees it."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        run()
    found: Any = profile.profiler
    steps = [event for event in found.kineto_results.events() if event.name() == "[memory]"]
    most = total = 0
    for step in sorted(steps, key=lambda event: event.start_ns()):
        total += step.nbytes()
        most = max(most, total)
    return most
