"""A file that holds what a gradient needs from the forward run, which would otherwise be most of its memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Spill:
    """Tensors in an open file, one after the other; each gradient writes over those of the one before."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._end = file, 0

    def clear(self) -> None:
        """Forget all tensors."""
        self._end = 0

    def keep(self, tensor: Tensor) -> Callable[[], Tensor]:
        """Write a tensor, and return what reads it."""
        array = np.ascontiguousarray(tensor.detach().numpy())
        place, self._end = self._end, self._end + array.nbytes
        self._file.seek(place)
        self._file.write(_bytes(array))
        return partial(self._read, place, tensor.shape, array.dtype)

    def _read(self, place: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Tensor:
        array = np.empty(shape, dtype)
        self._file.seek(place)
        self._file.readinto(_bytes(array))  # type: ignore[attr-defined]  # every binary file has it
        return torch.from_numpy(array)


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
