"""Files of arrays by name, of several frameworks. Nothing in a file is executed."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from attn_core.weights.files import archives, npy
from attn_core.weights.files.arrays import array_of, brief, plain
from attn_core.weights.files.errors import DialectError, WeightsError
from attn_core.weights.files.safetensors import tensors
from attn_core.weights.files.whole import write_whole

State = dict[str, Any]


def read_file(path: str | os.PathLike[str]) -> State:
    """Return the arrays of a file by their names.

    - ``.safetensors``, ``.npz``;
    - ``.pth``, ``.pt``: PyTorch's, loaded with ``weights_only=True``; what `model` or `state_dict` in it holds;
    - ``.h5``, ``.weights.h5``, ``.keras``: Keras'. Names are ``layer/kernel``; of layers in the list ``layers``, those
      that Keras gave them. Keras 3 numbers a layer's arrays; their names are told by their shapes here.
    - ``.index``: a checkpoint of TensorFlow 1, whose data lie beside it.

    **Raises** `DialectError` for a file that is damaged, of another kind, or holds more than arrays; `OSError`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DialectError(f"{path}: its kind is not known; read are {', '.join(READERS)}.")
    try:
        state = reader(path)
    except WeightsError as error:
        raise DialectError(str(error)) from None
    if not state:
        raise DialectError(f"{path}: there is no array in it.")
    return state


def write_file(path: str | os.PathLike[str], state: Mapping[str, Any]) -> None:
    """Write arrays by name as ``.safetensors``, ``.npz``, ``.pth``, ``.pt`` or ``.h5``; the file appears whole or not.

    An ``.h5`` file is what ``model.load_weights(path, by_name=True)`` of Keras loads. bfloat16 becomes float32, which
    holds the same numbers. **Raises** `DialectError`, `OSError`.
    """
    path = Path(path)
    require_writable(path)
    arrays = {name: array_of(name, value) for name, value in state.items()}
    known = {name: a if a.dtype.kind in "fiu" else a.astype(np.float32) for name, a in arrays.items()}
    try:
        content = WRITERS[path.suffix.lower()](path, known)
    except (TypeError, KeyError, safetensors.SafetensorError) as error:
        raise DialectError(f"{path}: such a file cannot hold these arrays ({brief(error)}).") from None
    write_whole(path, content)


def require_writable(path: Path) -> None:
    """Raise `DialectError` unless a file of this name can be written."""
    if path.suffix.lower() not in WRITERS or path.name.lower().endswith(".weights.h5"):
        keras = path.suffix.lower() in (".keras", ".h5")
        hint = "; Keras' own needs the whole model: write .h5, which load_weights(..., by_name=True) loads" * keras
        raise DialectError(f"{path}: this kind cannot be written; written are {', '.join(WRITERS)}{hint}.")


def _npz(path: Path) -> State:
    with archives.opened(path, ".npz") as archive:
        held = {name: _member(path, archive, name) for name in archive.namelist()}
    named = {name.removesuffix(".npy"): array for name, array in held.items()}
    if len(named) < len(held):
        name = next(name for name in held if f"{name}.npy" in held)
        raise DialectError(f"{path}: {plain(name)} is in it twice, once as {plain(name)}.npy.")
    return named


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> Any:
    try:
        return npy.parse(archive.read(name))  # which checks the crc
    except Exception as error:  # zipfile, its decompressors and numpy raise many kinds on bytes that are not theirs
        reason = f"{plain(name)} is damaged or no array of real numbers ({brief(error)})"
        raise DialectError(f"{path}: {reason}.") from None


def _torch(path: Path) -> State:
    torch = _torch_package(path)
    with path.open("rb") as stream:
        if stream.read(2) == b"PK":  # older files are no archives, and have no sums to check
            with archives.opened(path, ".pth") as archive:
                archives.require_undamaged(path, archive)
        stream.seek(0)
        try:
            held = torch.load(stream, map_location="cpu", weights_only=True)
        except Exception as error:  # of many kinds: the unpickler's, zip's, and those of damaged tensors
            raise DialectError(
                f"{path}: damaged, or it holds more than tensors, which is not loaded ({brief(error)})."
            ) from None
    for wrapper in ("model", "state_dict"):
        if isinstance(held, Mapping) and isinstance(held.get(wrapper), Mapping):
            held = held[wrapper]
    if not isinstance(held, Mapping):
        raise DialectError(f"{path}: holds a {type(held).__name__}, not tensors by name.")
    tensors = {str(name): value for name, value in held.items() if isinstance(value, torch.Tensor)}
    for name, tensor in tensors.items():
        _require_own_numbers(path, name, tensor)
    return tensors


def _require_own_numbers(path: Path, name: str, tensor: Any) -> None:
    """Raise for a tensor that repeats a few numbers for any length: its strides of 0 are in the file."""
    if str(tensor.layout) != "torch.strided":
        return  # sparse, which has no plain array
    held = tensor.untyped_storage().nbytes()
    if (claimed := tensor.numel() * tensor.element_size()) > held:
        raise DialectError(f"{path}: {plain(name)} claims {claimed:,} bytes and holds {held:,}.")


def _torch_package(path: Path) -> Any:
    try:
        import torch  # here: who reads other files needs no framework
    except ImportError as error:
        raise DialectError(f"{path}: {error}; PyTorch's files need it: pip install 'attn-blocks[torch]'.") from None
    return torch


def _hdf5(path: Path) -> State:
    from attn_core.weights.files import hdf5

    return hdf5.read(path, path)


def keras_archive(path: Path) -> State:
    """Return the arrays of a `.keras` file, whatever it is called. **Raises** `DialectError`, `OSError`."""
    from attn_core.weights.files import hdf5

    with archives.opened(path, ".keras") as archive:
        if "model.weights.h5" not in archive.namelist():
            raise DialectError(f"{path}: there is no model.weights.h5 in it, which Keras' files have.")
        try:
            content = archive.read("model.weights.h5")
        except archives.DAMAGES as error:
            raise DialectError(f"{path}: model.weights.h5 in it is damaged ({brief(error)}).") from None
    return hdf5.read(path, io.BytesIO(content))


def _tf1(path: Path) -> State:
    try:
        from attn_core.weights.files.tf1.checkpoint import read_checkpoint
        from attn_core.weights.files.tf1.errors import CheckpointError
    except ImportError as error:
        raise DialectError(f"{path}: {error}; checkpoints need it: pip install 'attn-blocks[tf1]'.") from None
    try:
        return dict(read_checkpoint(path))
    except CheckpointError as error:
        raise DialectError(str(error)) from None


def _write_safetensors(path: Path, arrays: State) -> bytes:
    content: bytes = safetensors.numpy.save({name: np.asarray(a, order="C") for name, a in arrays.items()})
    return content


def _write_npz(path: Path, arrays: State) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _write_torch(path: Path, arrays: State) -> bytes:
    torch, stream = _torch_package(path), io.BytesIO()
    torch.save({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}, stream)
    return stream.getvalue()


def _write_h5(path: Path, arrays: State) -> bytes:
    from attn_core.weights.files import hdf5

    return hdf5.written(path, arrays)


READERS: dict[str, Callable[[Path], State]] = {
    ".safetensors": lambda path: dict(tensors(path)),
    ".npz": _npz,
    **dict.fromkeys((".pth", ".pt"), _torch),
    ".h5": _hdf5,
    ".keras": keras_archive,
    ".index": _tf1,
}
WRITERS: dict[str, Callable[[Path, State], bytes]] = {
    ".safetensors": _write_safetensors,
    ".npz": _write_npz,
    **dict.fromkeys((".pth", ".pt"), _write_torch),
    ".h5": _write_h5,
}
