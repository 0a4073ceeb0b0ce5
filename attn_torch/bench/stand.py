"""Where layers of PyTorch are timed; see `attn_core.parity.bench.running.Stand`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from attn_core.parity.bench.asked import Trial
from attn_core.parity.bench.contest import COMPILED, COPY, EAGER, OURS, Entrant, Memory
from attn_core.parity.bench.machine import processor
from attn_core.parity.draws import Draw
from attn_core.parity.foreign.importing import load
from attn_core.parity.foreign.layer import ForeignError, framework
from attn_torch.bench import memory, packages
from attn_torch.bench.clocks import clock
from attn_torch.bench.plain import plain
from attn_torch.binding import bind

Run = Callable[[], object]


class Stand:
    """A device. Products of float32 are not rounded to TF32 there: what is timed is what is checked."""

    ways = (EAGER, COMPILED)

    def __init__(self, device: torch.device, threads: int) -> None:
        self.device, self.clock = device, clock(device, threads)
        self.processor = _called(device)

    def ours(self, trial: Trial, drawn: Draw) -> nn.Module:
        """Return the native layer with the weights drawn."""
        layer = bind(trial.block, drawn.weights, dtype=getattr(torch, trial.dtype))
        return layer.to(self.device)

    def plain(self, trial: Trial, drawn: Draw) -> nn.Module | None:
        """Return the module that is written out, with the same weights."""
        if len(trial.shapes[0]) != 4 or (found := plain(trial.block)) is None:
            return None
        found.load_state_dict(self.ours(trial, drawn).state_dict())
        return self._placed(found, trial)

    def named(self, package: str, trial: Trial) -> tuple[str, nn.Module] | None:
        """Return a package's own."""
        if len(trial.shapes[0]) != 4 or (found := packages.named(package, trial.block)) is None:
            return None
        name, layer = found
        return name, self._placed(layer, trial)

    def adopted(self, path: str, arguments: str, trial: Trial) -> nn.Module:
        """Return somebody's module on the device."""
        layer = load(path, arguments)
        if framework(layer) != "torch":
            raise ForeignError(f"an object of {type(layer).__name__} is no nn.Module: see --runtime.")
        return self._placed(layer, trial)

    def output(self, layer: Any, drawn: Draw, trial: Trial) -> NDArray[np.float64]:
        """Run a layer once outside of training."""
        with torch.no_grad():
            found = layer.eval()(*self._inputs(drawn, trial))
        if not isinstance(found, Tensor):
            raise TypeError(f"it returns {type(found).__name__}, and no tensor")
        return np.asarray(found.double().cpu().numpy())

    def entrant(self, name: str, layer: Any, way: str, trial: Trial, drawn: Draw) -> Entrant:
        """Prepare a module: forward as in inference, forward and backward as in training."""
        inputs = self._inputs(drawn, trial)
        module = layer.train(trial.backward)
        call = module
        if way == COMPILED:
            if name == OURS:  # the first of a trial; what was compiled for others counts against a limit
                torch.compiler.reset()
            call = torch.compile(module, fullgraph=True, dynamic=False)
        if trial.backward:
            run, kept = self._both(call, module, inputs, drawn, trial)
        else:
            run, kept = _forward(call, inputs), None
        for _ in range(3):
            run()
        used = Memory(kept, memory.peak(run, self.device))
        return Entrant(name, way, lambda calls: self.clock(run, calls), used)

    def copy(self, trial: Trial, drawn: Draw) -> Entrant:
        """Copy the image into another that is there."""
        image, *_ = self._inputs(drawn, trial)
        other = torch.empty_like(image)
        return Entrant(COPY, EAGER, lambda calls: self.clock(lambda: other.copy_(image), calls))

    def _both(
        self, call: Any, module: nn.Module, inputs: list[Tensor], drawn: Draw, trial: Trial
    ) -> tuple[Run, int | None]:
        for tensor in inputs:
            tensor.requires_grad_()
        wanted = [*inputs, *(parameter for parameter in module.parameters() if parameter.requires_grad)]
        pull = self._tensor(drawn.cotangent, trial.dtype)

        def run() -> object:
            return torch.autograd.grad(call(*inputs), wanted, pull, allow_unused=True)

        run()
        return run, memory.kept(lambda: call(*inputs), module)

    def _placed(self, layer: nn.Module, trial: Trial) -> nn.Module:
        return layer.to(self.device, getattr(torch, trial.dtype))

    def _inputs(self, drawn: Draw, trial: Trial) -> list[Tensor]:
        return [self._tensor(array, trial.dtype) for array in drawn.inputs]

    def _tensor(self, array: NDArray[Any], dtype: str) -> Tensor:
        return torch.tensor(array, dtype=getattr(torch, dtype), device=self.device)


def stand(device: str, threads: int) -> Stand:
    """Return a device, or raise `ValueError` with what there is."""
    found = _device(device)
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return Stand(found, threads)


def _device(name: str) -> torch.device:
    there = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    kind, _, index = name.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if kind not in there or (index and not (index.isdigit() and int(index) < count)):
        raise ValueError(f"PyTorch has no device {name!r} here; there is {', '.join(there)}.")
    return torch.device(name)


def _called(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor()


def _forward(call: Any, inputs: list[Tensor]) -> Run:
    def run() -> object:
        with torch.no_grad():
            return call(*inputs)

    return run
