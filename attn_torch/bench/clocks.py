"""How long a run takes on CUDA: between two events, each run with an empty L2 cache."""

from __future__ import annotations

from typing import Any

import torch

from attn_core.parity.bench import clock as processor
from attn_core.parity.bench.clock import Clock, Run


def clock(device: torch.device, threads: int) -> Clock:
    """Return the function that times so many runs on a device, and returns the seconds of one."""
    return CudaClock(device) if device.type == "cuda" else processor.clock(threads)


class CudaClock:
    """Times each run between two events; before it, more is written than the L2 cache holds.

    In a network, what a layer reads was written long ago: without that, small images would be read from the cache.
    While it is written, the processor hands in the run, so that its launches do not count where the device has work.
    """

    def __init__(self, device: torch.device) -> None:
        held = torch.cuda.get_device_properties(device).L2_cache_size
        self.device = device
        self.other = torch.empty(4 * held, dtype=torch.int8, device=device)

    def __call__(self, run: Run, calls: int) -> float:
        """Return the mean of so many runs."""
        torch.cuda.synchronize(self.device)
        events = [(self._event(), self._event()) for _ in range(calls)]
        for start, end in events:
            self.other.zero_()
            start.record()
            run()
            end.record()
        torch.cuda.synchronize(self.device)
        milliseconds: float = sum(start.elapsed_time(end) for start, end in events)
        return milliseconds / calls / 1000

    @staticmethod
    def _event() -> Any:
        event: Any = torch.cuda.Event
        return event(enable_timing=True)
