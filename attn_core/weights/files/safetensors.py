"""Safetensors files, of which NumPy must know every type."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray

from attn_core.weights.files.arrays import brief, plain, require_possible
from attn_core.weights.files.errors import WeightsError


def tensors(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return all arrays of a safetensors file. **Raises** `WeightsError`, `OSError`."""
    with opened(path) as file:
        return {name: tensor(path, file, name) for name in file.keys()}  # noqa: SIM118 (not a mapping)


def opened(path: str | os.PathLike[str]) -> Any:
    """Open a file. **Raises** `WeightsError`, `FileNotFoundError`."""
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: there is no such file.")
    if not Path(path).is_file():
        raise WeightsError(f"{path}: a folder or device, not a safetensors file.")
    try:
        return safetensors.safe_open(path, framework="numpy")
    except safetensors.SafetensorError as error:
        raise WeightsError(f"{path}: not a whole safetensors file ({brief(error)}).") from None


def tensor(path: str | os.PathLike[str], file: Any, name: str) -> NDArray[Any]:
    """Return one array of an opened file. **Raises** `WeightsError` for a type or shape that NumPy has not."""
    slices = file.get_slice(name)
    kind = slices.get_dtype()
    # NumPy has these types only where another package has taught it; here they are an error everywhere.
    if kind.startswith(("BF", "F4", "F6_", "F8")):
        raise WeightsError(f"{path}: NumPy has no {kind}, the type of {plain(name)}: save it as float32.")
    try:
        require_possible(slices.get_shape())
        return np.asarray(file.get_tensor(name))
    except ValueError as error:  # NumPy's, of a shape that it has not
        raise WeightsError(f"{path}: {plain(name)} cannot be read: {brief(error)}.") from None
