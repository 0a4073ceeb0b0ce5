"""One pass through a module, forward and backward: everything that a recording holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from recording.choices import Choices
from recording.subject import RecordError, Subject, told

Array = np.ndarray
Shapes = list[list[int]]


@dataclass(frozen=True)
class Run:
    """Arrays by their keys in a recording, without dtype and mode; None is a gradient that does not exist."""

    arrays: dict[str, Array | None]
    outputs: Shapes
    choices: Choices
    parameters: list[str]

    @property
    def weight_gradients(self) -> dict[str, Array]:
        """Those gradients of weights that exist, by their keys."""
        found = {f"grad:{name}": self.arrays[f"grad:{name}"] for name in self.parameters}
        return {key: array for key, array in found.items() if array is not None and array.size}


@dataclass(frozen=True)
class Given:
    """What a module is run on; cotangents are made for the shapes that come out."""

    state: Mapping[str, Array]
    inputs: Sequence[Array]
    cotangents: Callable[[Shapes], Sequence[Array]]


def run(subject: Subject, given: Given, dtype: torch.dtype, train: bool, draw: int = 0) -> Run:
    """Run the module once; what is random in it follows `draw`. **Raises** `RecordError` if it cannot be recorded."""
    module = _prepared(subject, given.state, dtype, train)
    torch.manual_seed(draw)
    inputs = [torch.from_numpy(array).to(dtype).requires_grad_() for array in given.inputs]
    choices = Choices()
    with choices:
        outputs = _outputs(subject, module, [each * 1 for each in inputs])  # a leaf cannot be changed in place
    shapes = [list(output.shape) for output in outputs]
    _backward(outputs, [torch.from_numpy(array).to(dtype) for array in given.cotangents(shapes)])
    found: dict[str, torch.Tensor | None] = dict(zip(_numbered("output", outputs), outputs, strict=True))
    found |= {key: each.grad for key, each in zip(_numbered("grad:input", inputs), inputs, strict=True)}
    parameters = dict(module.named_parameters())
    found |= {f"grad:{name}": parameter.grad for name, parameter in parameters.items()}
    if train:
        found |= {f"stat:{name}": buffer for name, buffer in module.named_buffers() if buffer.is_floating_point()}
    arrays = {key: None if tensor is None else tensor.detach().numpy() for key, tensor in found.items()}
    _check_finite(subject, arrays, f"{str(dtype).removeprefix('torch.')}, {'train' if train else 'eval'}")
    return Run(arrays, shapes, choices, list(parameters))


def _prepared(subject: Subject, state: Mapping[str, Array], dtype: torch.dtype, train: bool) -> nn.Module:
    module = subject.build()
    module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in state.items()})
    module.to(dtype).train(train)
    for part in module.modules():
        if isinstance(part, _DropoutNd):
            part.eval()
    return module


def _outputs(subject: Subject, module: nn.Module, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    try:
        result: Any = module(*inputs)
    except Exception as error:
        shapes = " and ".join(str(tuple(each.shape)) for each in inputs)
        raise RecordError(f"{subject} on {shapes} raises {told(error)}.") from error
    outputs = list(result) if isinstance(result, tuple | list) else [result]
    for output in outputs:
        if not (isinstance(output, torch.Tensor) and output.is_floating_point()):
            kind = output.dtype if isinstance(output, torch.Tensor) else type(output).__name__
            raise RecordError(f"{subject} returns {kind}; only tensors of real numbers, one or several, are recorded.")
    return outputs


def _backward(outputs: Sequence[torch.Tensor], cotangents: Sequence[torch.Tensor]) -> None:
    """Differentiate the sum of output times cotangent."""
    loss = sum((output * cotangent).sum() for output, cotangent in zip(outputs, cotangents, strict=True))
    assert isinstance(loss, torch.Tensor)
    if loss.requires_grad:
        loss.backward()


def _numbered(name: str, tensors: Sequence[Any]) -> list[str]:
    return [name] if len(tensors) == 1 else [f"{name}{i}" for i in range(len(tensors))]


def _check_finite(subject: Subject, arrays: Mapping[str, Array | None], where: str) -> None:
    for key, array in arrays.items():
        if array is not None and not np.isfinite(array).all():
            raise RecordError(f"{subject}: {key} holds NaN or infinity ({where}); another shape or --seed may help.")
