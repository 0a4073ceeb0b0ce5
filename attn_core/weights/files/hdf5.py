"""Keras' weights in HDF5 files: read with h5py alone, nothing in them is executed.

Two layouts: that of Keras 2, groups of layers with datasets of their arrays' names, and that of Keras 3, in which a
layer's arrays are ``.../vars/0``, ``.../vars/1``, ...
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attn_core.weights.files.arrays import brief, plain, require_small
from attn_core.weights.files.errors import DialectError

_LAYERS = "layers"  # the list in which a Keras model has its layers
_VARS = "vars"
_MOST = 100_000  # groups and datasets
ORDER = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")  # in the order of a layer's arrays


def read(path: Path, source: Path | io.BytesIO) -> dict[str, Any]:
    """Return the arrays of an HDF5 file, `path` in messages, as `read_file` names them."""
    h5py = _package(path)
    try:
        with h5py.File(source, "r") as file:
            start = "model_weights/" if isinstance(file.get("model_weights", getlink=True), h5py.HardLink) else ""
            root = file[start] if start else file
            named = dict(_datasets(path, root, set()))
            held = sum(dataset.id.get_storage_size() for dataset in named.values())
            require_small(path, sum(dataset.nbytes for dataset in named.values()), held)
            arrays = {name: dataset[()] for name, dataset in named.items()}
            layers = _layer_names(root)
            old = _listed(root)
    except DialectError:
        raise
    except Exception as error:  # h5py raises many kinds on bytes that are not HDF5's
        raise DialectError(f"{path}: damaged or no HDF5 file ({brief(error)}).") from None
    return _of_keras_2(arrays, old) if old else _of_keras_3(arrays, layers)


def has_layer_names(path: Path, source: Path | io.BytesIO) -> bool:
    """Whether a file in the layout of Keras 3 states the names that its layers have."""
    with _package(path).File(source, "r") as file:
        return bool(_layer_names(file))


def _package(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise DialectError(f"{path}: {error}; Keras' files need it: pip install 'attn-blocks[h5]'.") from None
    return h5py


def _datasets(path: Path, group: Any, seen: set[int], start: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all datasets of a group by their paths in it. Links to elsewhere and anything but numbers are refused."""
    h5py = _package(path)
    for name in group:
        where = f"{start}{name}"
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise DialectError(f"{path}: {plain(where)} is a link to elsewhere, which is not followed.")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen or len(seen) > _MOST:
            raise DialectError(f"{path}: {plain(where)} is in it twice, or there are more than {_MOST:,} objects.")
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _datasets(path, item, seen, f"{where}/")
        elif isinstance(item, h5py.Dataset):
            _require_own_numbers(path, where, item)
            yield where, item


def _require_own_numbers(path: Path, where: str, dataset: Any) -> None:
    if dataset.external or dataset.is_virtual:
        raise DialectError(f"{path}: {plain(where)} is kept in another file, which is not read.")
    if dataset.dtype.kind not in "fiu":
        raise DialectError(f"{path}: {plain(where)} must hold real numbers, got {brief(dataset.dtype)}.")
    held = dataset.id.get_storage_size()
    if dataset.size and (held == 0 or (dataset.chunks is None and held != dataset.nbytes)):
        raise DialectError(f"{path}: {plain(where)} claims {dataset.nbytes:,} bytes and holds {held:,}.")
    if dataset.chunks is not None and (kept := dataset.id.get_num_chunks()) != (whole := _chunks(dataset)):
        raise DialectError(f"{path}: {plain(where)} claims {whole:,} pieces and holds {kept:,}.")


def _chunks(dataset: Any) -> int:
    """Return of how many pieces a dataset is made that is kept in pieces."""
    return math.prod(-(-length // piece) for length, piece in zip(dataset.shape, dataset.chunks, strict=True))


def _layer_names(root: Any) -> dict[str, str]:
    """Return the names that layers have in Keras, by the paths of their groups."""
    found: dict[str, str] = {}

    def visit(where: str, item: Any) -> None:
        name = item.attrs.get("name") if where.endswith(f"/{_VARS}") else None
        if isinstance(name, str):
            found[where.removesuffix(f"/{_VARS}")] = name

    root.visititems(visit)
    return found


def _listed(root: Any) -> list[str]:
    """Return the names of the layers that Keras 2 lists, in one attribute or, where they are long, in several."""
    lists = [name for name in root.attrs if name.rstrip("0123456789") == "layer_names"]
    return [bytes(name).decode() if isinstance(name, bytes) else str(name) for own in lists for name in root.attrs[own]]


def _of_keras_2(arrays: dict[str, Any], layers: list[str]) -> dict[str, Any]:
    """Name arrays without the group of their layer, which is in their own names again."""
    groups = set(layers)
    named: dict[str, Any] = {}
    for where, array in arrays.items():
        steps = where.split("/")
        starts = [i for i in range(1, len(steps)) if "/".join(steps[:i]) in groups] or [min(1, len(steps) - 1)]
        name = "/".join(steps[starts[0] :]).removesuffix(":0")
        named[where if name in named else name] = array
    return named


def _of_keras_3(arrays: dict[str, Any], layers: dict[str, str]) -> dict[str, Any]:
    """Name arrays by their layers and, where the shapes of a layer's arrays tell what they are, as the layer does."""
    owners: dict[str, dict[int, Any]] = {}
    named: dict[str, Any] = {}
    for where, array in arrays.items():
        owner, _, leaf = where.rpartition("/")
        if (owner == _VARS or owner.endswith(f"/{_VARS}")) and leaf.isdecimal() and len(leaf) < 10:
            owners.setdefault(owner.removesuffix(_VARS).removesuffix("/"), {})[int(leaf)] = array
        else:
            named[where] = array
    for owner, numbered in owners.items():
        own = [numbered[number] for number in sorted(numbered)]
        for leaf, array in zip(_leaves([array.ndim for array in own]), own, strict=True):
            named["/".join([*_path(owner, layers), leaf])] = array
    return named


def _path(owner: str, layers: dict[str, str]) -> list[str]:
    steps = owner.split("/") if owner else []
    named = [
        layers.get("/".join(steps[: i + 1]), step) if i and steps[i - 1] == _LAYERS else step
        for i, step in enumerate(steps)
    ]
    return [step for i, step in enumerate(named) if steps[i] != _LAYERS or i + 1 == len(steps)]


def _leaves(ranks: list[int]) -> list[str]:
    """Return what the arrays of a layer are called, given their numbers of axes; numbers where those do not tell."""
    if ranks and ranks[0] >= 2 and ranks[1:] in ([], [1]):
        return list(ORDER[: len(ranks)])
    if ranks in ([1] * 2, [1] * 4):
        return list(ORDER[2 : 2 + len(ranks)])
    return [f"{_VARS}/{i}" for i in range(len(ranks))]


def written(path: Path, arrays: dict[str, Any]) -> bytes:
    """Return an HDF5 file in the layout of Keras 2: a group for each layer, in the order of its arrays."""
    h5py, stream = _package(path), io.BytesIO()
    layers: dict[str, list[str]] = {}
    for name in arrays:
        layer, _, leaf = name.rpartition("/")
        if not layer or leaf not in ORDER:
            raise DialectError(f"{path}: {plain(name)} is no name in Keras, layer/kernel: choose another kind of file.")
        layers.setdefault(layer, []).append(leaf)
    with h5py.File(stream, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, leaves in layers.items():
            names = [f"{layer}/{leaf}:0" for leaf in sorted(leaves, key=ORDER.index)]
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name in names:
                group.create_dataset(name, data=arrays[name.removesuffix(":0")])
    return stream.getvalue()
