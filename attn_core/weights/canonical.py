"""Canonical weights: PyTorch's names and layouts, NumPy arrays, safetensors files that describe themselves."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import ArrayLike, NDArray

from attn_core.spec import Block, SpecError
from attn_core.weights.files.arrays import brief, plain, tell_undefined
from attn_core.weights.files.errors import WeightsError
from attn_core.weights.files.safetensors import opened, tensor
from attn_core.weights.files.whole import write_whole

Weights = dict[str, NDArray[Any]]

METADATA_KEY = "attn"
METADATA_VERSION = 1
COUNTER = ".num_batches_tracked"  # what PyTorch's batch norm counts and nothing uses: dropped where it comes along
_MOST_FAULTS = 8  # as many as a message lists


def initialise(block: Block, seed: int = 0) -> Weights:
    """Draw fresh float32 weights from the block's own laws; the same seed gives the same weights everywhere."""
    rngs = np.random.default_rng(seed).spawn(len(block.arrays()))
    arrays = zip(block.arrays().items(), rngs, strict=True)
    return {name: array.law.draw(rng, array.shape).astype(np.float32) for (name, array), rng in arrays}


def check(block: Block, weights: Mapping[str, ArrayLike]) -> Weights:
    """Return the weights as arrays, or raise `WeightsError` that names each one missing, left over or misshapen."""
    expected = {name: array.shape for name, array in block.arrays().items()}
    given = {name: _numbers(name, value) for name, value in weights.items() if not name.endswith(COUNTER)}
    faults = [f"{name} {expected[name]} is missing" for name in expected if name not in given]
    faults += [f"{plain(name)} {given[name].shape} is left over" for name in given if name not in expected]
    faults += [
        f"{name} must be {shape}, got {given[name].shape}"
        for name, shape in expected.items()
        if name in given and given[name].shape != shape
    ]
    if faults:
        more = [f"and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
        raise WeightsError(f"These are not weights of {block!r}: {'; '.join(faults[:_MOST_FAULTS] + more)}.")
    return {name: given[name] for name in expected}


def save(path: str | os.PathLike[str], block: Block, weights: Mapping[str, ArrayLike]) -> None:
    """Write a safetensors file that holds the weights and, in its metadata, the block.

    The file appears whole or not at all; an existing one is replaced. bfloat16 becomes float32, which holds the same
    numbers. NaN and infinity are kept, with an `UndefinedWarning`. **Raises** `WeightsError`, `OSError`.
    """
    arrays = {name: _storable(value) for name, value in check(block, weights).items()}
    tell_undefined(path, arrays)
    description = {"block": type(block).__name__, "config": block.config(), "version": METADATA_VERSION}
    try:
        content = safetensors.numpy.save(arrays, metadata={METADATA_KEY: json.dumps(description)})
    except safetensors.SafetensorError as error:
        raise WeightsError(f"{path}: safetensors cannot hold these weights ({brief(error)}).") from None
    except TypeError:
        rule = "give numbers and texts, as attention='CBAM(reduction=8)'"
        raise WeightsError(f"{path}: a file cannot hold every field of {block!r}: {rule}.") from None
    write_whole(Path(path), content)


def load(path: str | os.PathLike[str], block: Block | None = None) -> tuple[Block, Weights]:
    """Read a file that `save` wrote, or, if the block is given, any safetensors file with its canonical names.

    NaN and infinity are kept, with an `UndefinedWarning`. **Raises** `WeightsError` for a file that is damaged, of
    another kind, or without the block's weights; `OSError`.
    """
    with opened(path) as file:
        found = block or _described(path, (file.metadata() or {}).get(METADATA_KEY))
        weights = {name: tensor(path, file, name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    try:
        checked = check(found, weights)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None
    tell_undefined(path, checked)
    return found, checked


def _numbers(name: str, value: ArrayLike) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:  # what arrays of frameworks raise
        reason = (
            f"{plain(name)} is no array ({brief(error)}); the package of a framework has weights(layer) for its own"
        )
        raise WeightsError(f"{reason}.") from None
    if array.dtype == bool or not np.can_cast(array.dtype, np.float64, "same_kind"):
        raise WeightsError(f"{plain(name)} must hold real numbers, got {array.dtype}.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    known = array if array.dtype.kind in "fiu" else array.astype(np.float32)
    return np.ascontiguousarray(known)


def _described(path: str | os.PathLike[str], text: str | None) -> Block:
    from attn_core.models.registry import KNOWN

    if text is None:
        raise WeightsError(f"{path}: no block is described in its metadata: name one, load(path, block).")
    try:
        description = json.loads(text)
        name, config, version = str(description["block"]), dict(description["config"]), description["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WeightsError(f"{path}: the block in its metadata cannot be read.") from None
    if version != METADATA_VERSION or name not in KNOWN:
        held = f"{reprlib.repr(name)} in format {reprlib.repr(version)}"
        raise WeightsError(f"{path}: holds {held}; known here: {', '.join(KNOWN)} in format {METADATA_VERSION}.")
    try:
        block = KNOWN[name](**config)
        block.arrays()
    except (TypeError, SpecError, OverflowError) as error:
        reason = str(error) if len(str(error)) < 300 else f"{str(error)[:300]}..."
        raise WeightsError(f"{path}: its metadata describes no {name}: {reason}") from None
    return block
