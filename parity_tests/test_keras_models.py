"""Whole Keras models, `.h5` and `.keras`: read without running what is in them, and ported like a graph."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtimes import in_keras, need

from attn_core.porting import whole_network
from attn_core.porting.network.inference import Options
from attn_core.porting.proof import prove
from attn_core.weights.files.hdf5 import has_layer_names
from attn_core.weights.files.tf1.errors import CheckpointError

MODELS = ("images", "signals", "convnext", "volumes", "inside", "operators", "chain", "two_results")
FILES = (".keras", ".h5")

Compared = list[tuple[str, float, bool]]


def proven(path: Path, recorded: dict[str, Any], target: str, out: Path) -> Compared:
    port = whole_network.read(path, target, Options())
    whole_network.write(port, out, lambda inside: prove(port, inside, recorded, tensorflow=False))
    return [(check.what, min(check.absolute, check.relative), check.passed) for check in port.checks]


def equal(checks: Compared) -> None:
    """Check that what Keras computed was compared, and everything within the bound."""
    assert any("recorded output" in what for what, _, _ in checks)
    assert all(passed for _, _, passed in checks), checks


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Any:
    need("keras-tensorflow")
    found: dict[tuple[str, str], tuple[Path, dict[str, Any]]] = {}

    def get(name: str, suffix: str = ".keras") -> tuple[Path, dict[str, Any]]:
        if (name, suffix) not in found:
            folder = tmp_path_factory.mktemp(name)
            recorded = in_keras("tensorflow", "keras_models", "save", name, suffix, folder)
            found[name, suffix] = folder / f"model{suffix}", recorded
        return found[name, suffix]

    return get


@pytest.mark.parametrize("suffix", FILES)
@pytest.mark.parametrize("name", MODELS)
def test_model_becomes_torch(saved: Any, name: str, suffix: str, tmp_path: Path) -> None:
    need("torch")
    equal(proven(*saved(name, suffix), "torch", tmp_path / "out"))


@pytest.mark.parametrize("target", ["linen", "nnx"])
def test_model_becomes_flax(saved: Any, target: str, tmp_path: Path) -> None:
    need(target)
    equal(proven(*saved("inside"), target, tmp_path / "out"))


def test_model_becomes_keras(tmp_path: Path) -> None:
    need("keras-tensorflow")
    equal(in_keras("tensorflow", "keras_models", "port", "images", ".keras", tmp_path))


def test_blocks_are_found(saved: Any) -> None:
    port = whole_network.read(saved("images")[0], "torch", Options())
    assert "attn_torch.SqueezeExcitation(" in port.source
    assert "momentum=0.1" in port.source  # Keras keeps 0.9 of the old


def test_several_results_have_their_layers_names(saved: Any) -> None:
    port = whole_network.read(saved("two_results")[0], "torch", Options())
    assert list(port.network.heads) == ["boxes", "classes"]


@pytest.mark.parametrize(("suffix", "other"), [(".h5", "model.hdf5"), (".h5", "weights"), (".keras", "MODEL.KERAS")])
def test_contents_tell_what_a_file_is(saved: Any, suffix: str, other: str, tmp_path: Path) -> None:
    need("torch")
    path, recorded = saved("chain", suffix)
    shutil.copyfile(path, tmp_path / other)
    equal(proven(tmp_path / other, recorded, "torch", tmp_path / "out"))


def test_chain_of_keras_2(saved: Any, tmp_path: Path) -> None:
    """A list of layers without an input layer, of which the first states the shape that it takes."""
    need("torch")
    import h5py

    path, recorded = saved("chain", ".h5")
    old = tmp_path / "old.h5"
    shutil.copyfile(path, old)
    with h5py.File(old, "r+") as file:
        model = json.loads(file.attrs["model_config"])
        first, *layers = model["config"]["layers"]
        layers[0]["config"]["batch_input_shape"] = first["config"]["batch_shape"]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})
        file.attrs["keras_version"] = "2.2.4"
    equal(proven(old, recorded, "torch", tmp_path / "out"))


@pytest.mark.parametrize("name", ["images", "inside", "operators"])
def test_files_without_names(saved: Any, name: str, tmp_path: Path) -> None:
    """Older versions of Keras 3 number the layers of each class, and state no names."""
    need("torch")
    import h5py

    path, recorded = saved(name)
    with zipfile.ZipFile(path) as old:
        stream = io.BytesIO(old.read("model.weights.h5"))
    with h5py.File(stream, "r+") as file:
        file.visititems(lambda where, item: item.attrs.pop("name", None) and None)
    assert not has_layer_names(path, io.BytesIO(stream.getvalue()))
    out = tmp_path / "nameless.keras"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            new.writestr(member, stream.getvalue() if member == "model.weights.h5" else old.read(member))
    equal(proven(out, recorded, "torch", tmp_path / "out"))


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("with_code", "the layer 'twice' of the class 'Lambda' has no counterpart: it holds Python code"),
        ("recurrent", "the layer 'memory' of the class 'LSTM' has no counterpart: this layer is not known here"),
    ],
)
def test_unknown_layers_are_named(saved: Any, name: str, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        whole_network.read(saved(name)[0], "torch", Options())


def test_weights_alone(tmp_path: Path) -> None:
    need("keras-tensorflow")
    in_keras("tensorflow", "keras_models", "save_weights", tmp_path)
    with pytest.raises(CheckpointError, match="holds weights without the layers' configuration"):
        whole_network.read(tmp_path / "model.weights.h5", "torch", Options())


def changed(path: Path, folder: Path, change: Any) -> Path:
    """Write a `.keras` file with another configuration."""
    out = folder / "changed.keras"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return out


def test_damaged_configurations(saved: Any, tmp_path: Path) -> None:
    """Whatever a configuration holds, the answer is a sentence."""
    path, _ = saved("chain")
    rng = np.random.default_rng(0)

    def spots(value: Any) -> list[tuple[Any, Any]]:
        if isinstance(value, (dict, list)):
            keys = list(value) if isinstance(value, dict) else list(range(len(value)))
            return [(value, key) for key in keys] + [spot for key in keys for spot in spots(value[key])]
        return []

    refused = 0
    for _ in range(60):

        def damage(config: Any) -> None:
            places = spots(config)
            container, key = places[rng.integers(len(places))]
            container[key] = [None, -1, "x", [], {}, 1e30, True][rng.integers(7)]

        with suppress(ValueError):  # of which `CheckpointError` and the others of porting are kinds
            whole_network.read(changed(path, tmp_path, damage), "torch", Options())
            continue
        refused += 1
    assert refused > 10


def test_truncated_file(saved: Any, tmp_path: Path) -> None:
    path, _ = saved("chain", ".h5")
    short = tmp_path / "short.h5"
    short.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(CheckpointError, match=r"short\.h5"):
        whole_network.read(short, "torch", Options())
