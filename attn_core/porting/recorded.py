"""Recorded activations of the blocks of a network, in an .npz file (arrays in TensorFlow's layout, NHWC)."""

from __future__ import annotations

import math
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.weights.files import npy

_NAME = re.compile(r"se(\d{1,9})_(?:in|gate|out)\.npy")


class RecordingError(ValueError):
    """A file that is no recording, or not of this network."""


@dataclass(frozen=True)
class Recording:
    """What one block got and gave, in canonical layout; what was not recorded is None."""

    image: NDArray[Any]
    gate: NDArray[Any] | None
    output: NDArray[Any] | None


def read(path: Path, channels: list[int]) -> list[Recording]:
    """Read the recording of blocks with these numbers of channels, in the network's order.

    The file holds for block i, from 0, `se<i>_in` [N, H, W, C] and one or both of `se<i>_gate` [N, 1, 1, C] or [N, C]
    and `se<i>_out` [N, H, W, C]; arrays of other names are left alone. **Raises** `RecordingError`, `OSError`.
    """
    with _opened(path) as archive:
        _require_count(path, archive, len(channels))
        return [_block(path, archive, i, count) for i, count in enumerate(channels)]


def arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read every array of real numbers in an .npz file. **Raises** `RecordingError`, `OSError`."""
    with _opened(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        return {name: _array(path, archive, name) for name in names}


def _opened(path: Path) -> zipfile.ZipFile:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is no file; give the .npz file of the recorded activations.")
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise RecordingError(f"{path} is cut short or no .npz file ({error}).") from None


def _require_count(path: Path, archive: zipfile.ZipFile, count: int) -> None:
    numbers = {int(match[1]) for name in archive.namelist() if (match := _NAME.fullmatch(name))}
    if numbers != set(range(count)):
        held = ", ".join(map(str, sorted(numbers)[:20])) or "none"
        raise RecordingError(
            f"{path} must record blocks 0 to {count - 1}, one for each block found, as se0_in, se0_gate, se0_out, ...; "
            f"it holds: {held}."
        )


def _block(path: Path, archive: zipfile.ZipFile, i: int, channels: int) -> Recording:
    names = {kind: f"se{i}_{kind}" for kind in ("in", "gate", "out")}
    found = {kind: _array(path, archive, name) for kind, name in names.items() if f"{name}.npy" in archive.namelist()}
    if "in" not in found or len(found) < 2:
        raise RecordingError(f"{path} must hold {names['in']}, and {names['gate']} or {names['out']}.")
    image = found["in"].shape
    fits = len(image) == 4 and image[-1] == channels and math.prod(image) > 0
    allowed = {
        "in": (image if fits else ("N", "H", "W", channels),),
        "gate": ((image[0], 1, 1, channels), (image[0], channels)) if fits else (),
        "out": (image,),
    }
    for kind, array in found.items():
        if array.shape not in allowed[kind]:
            wanted = " or ".join(f"[{', '.join(map(str, shape))}]" for shape in allowed[kind])
            raise RecordingError(f"{path}: {names[kind]} has shape {list(array.shape)}, but must have {wanted}.")
    gate = found["gate"].reshape(-1, channels) if "gate" in found else None
    output = np.moveaxis(found["out"], -1, 1) if "out" in found else None
    return Recording(np.moveaxis(found["in"], -1, 1), gate, output)


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    try:
        return _parse(archive.read(f"{name}.npy"))  # which checks the crc
    except Exception as error:  # zipfile, its decompressors and numpy raise many kinds on bytes that are not theirs
        raise RecordingError(f"{path}: {name} is damaged or no array of finite numbers ({error}).") from None


def _parse(data: bytes) -> NDArray[Any]:
    array = npy.parse(data)
    if not np.isfinite(array).all():
        raise ValueError("it holds NaN or infinity")
    return array
