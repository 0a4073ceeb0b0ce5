"""The example in docs/examples: its scene, its measures, and what its reader sees in each framework."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from runtimes import need

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
SCRIPT = EXAMPLES / "hyperspectral.py"
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "COLUMNS": "100"}

need("examples")

import scipy.io as scipy_io  # noqa: E402


@pytest.fixture
def scenes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLES)
    return import_module("scene")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLES)
    return import_module("hyperspectral")


def run(folder: Path, *args: object) -> tuple[int, str, str]:
    """Run the script as its reader does; returns its exit code, stdout and stderr."""
    command = [sys.executable, str(SCRIPT), *map(str, args)]
    environment = os.environ | ENVIRONMENT
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr


def write_scene(folder: Path, truth: Any = None, **others: Any) -> tuple[object, ...]:
    """Write a scene of two classes as .mat files; returns the options that name them."""
    rng = np.random.default_rng(0)
    labels = np.repeat([[1] * 6 + [0] + [7] * 5], 10, axis=0).astype(np.uint8)
    cube = rng.normal(size=(10, 12, 20)) + labels[..., None]
    scipy_io.savemat(folder / "cube.mat", {"cube": cube.astype(np.float32)} | others)
    scipy_io.savemat(folder / "truth.mat", {"truth": labels if truth is None else truth})
    return ("--cube", "cube.mat", "--truth", "truth.mat")


# ---- parts -----------------------------------------------------------------------------------------------------------


def test_scene_belongs_to_its_seed(scenes: ModuleType):
    one, same, other = (scenes.synthetic(seed) for seed in (3, 3, 4))
    assert one.cube.tobytes() == same.cube.tobytes()
    assert one.truth.tobytes() == same.truth.tobytes()
    assert (one.truth != other.truth).any()


@pytest.mark.parametrize("seed", range(8))
def test_scene_has_every_class_and_a_border(scenes: ModuleType, seed: int):
    cube, truth = scenes.synthetic(seed)
    counts = np.bincount(truth.ravel())
    assert cube.shape == (64, 64, 60)
    assert len(counts) == 7
    assert counts.min() >= 100
    below, right = (truth[1:], truth[:-1]), (truth[:, 1:], truth[:, :-1])
    assert all(((a == b) | (a == 0) | (b == 0)).all() for a, b in (below, right))


def test_measures(script: ModuleType):
    """By hand: 7 of 10 right; 4 of 5, 3 of 4 and 0 of 1; by chance 5 * 5 + 4 * 4 + 1 * 1 of 100."""
    measures = script.measure(np.array([[4, 1, 0], [0, 3, 1], [1, 0, 0]]))
    assert measures == pytest.approx((0.7, (0.8 + 0.75 + 0) / 3, (0.7 - 0.42) / (1 - 0.42)), abs=1e-15)


def test_patches(scenes: ModuleType):
    """The pixel itself is in the middle, and the border mirrors."""
    cube = np.arange(4 * 5 * 2).reshape(4, 5, 2)
    patches = scenes.windows(cube, 3)
    assert patches.shape == (4, 5, 2, 3, 3)
    assert (patches[..., 1, 1] == cube).all()
    assert (patches[0, 0, 1] == cube[..., 1][np.ix_([0, 0, 1], [0, 0, 1])]).all()


def test_split(scenes: ModuleType):
    truth = np.repeat([[0] + [1] * 40 + [2] * 20], 2, axis=0)
    train, test = scenes.split(truth, 0.1, 0)
    assert np.bincount(truth[tuple(train.T)]).tolist() == [0, 8, 4]
    pixels = {tuple(pixel) for pixel in np.vstack([train, test])}
    assert pixels == {tuple(pixel) for pixel in np.argwhere(truth)}


# ---- the script ------------------------------------------------------------------------------------------------------


def assert_complete(folder: Path, result: tuple[int, str, str]) -> None:
    code, stdout, stderr = result
    assert code == 0, stderr
    assert "Traceback" not in stderr
    header, *rows = (line for line in stdout.splitlines() if line[:1] in "┃│" and line)
    assert [cell.strip() for cell in header.split("┃")[1:-1]][2:5] == ["overall accuracy", "average accuracy", "kappa"]
    assert [row.split("│")[1].strip() for row in rows] == ["without attention", "with attention"]
    for row in rows:
        overall, average, kappa = (float(cell.strip(" %")) for cell in row.split("│")[3:6])
        assert 0 <= min(overall, average) <= max(overall, average) <= 100
        assert -1 <= kappa <= 1
    from matplotlib.image import imread

    height, width, _ = (picture := imread(folder / "map.png")).shape
    assert 300 < height < width < 2000
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 20


@pytest.mark.parametrize("framework", ["torch", "keras", "nnx"])
def test_synthetic_scene(tmp_path: Path, framework: str):
    need({"keras": "keras-tensorflow"}.get(framework, framework))
    result = run(tmp_path, "--framework", framework, "--epochs", 1, "--train-share", 0.02, "--size", 9, "--bands", 13)
    assert_complete(tmp_path, result)
    assert result[1].startswith("64 x 64 pixels of 6 classes: 65 to train with, 3,215 to test with.\n")


def test_scene_of_files(tmp_path: Path):
    need("torch")
    options = write_scene(tmp_path, truth=None, scale=2.0)
    result = run(tmp_path, "--framework", "torch", *options, "--epochs", 1, "--size", 9, "--bands", 13)
    assert_complete(tmp_path, result)
    assert result[1].startswith(
        "10 x 12 pixels of 2 classes: 11 to train with, 99 to test with.\n20 bands, reduced to "
    )


def refusal(script: ModuleType, folder: Path, *args: object) -> str:
    """Return the one sentence with which the script ends; it may not have written anything."""
    from typer import Typer
    from typer.testing import CliRunner

    app = Typer()
    app.command()(script.main)
    before = sorted(folder.iterdir())
    result = CliRunner().invoke(app, ["--framework", "torch", *map(str, args)])
    assert result.exit_code == 2, result.output
    assert sorted(folder.iterdir()) == before
    return result.stderr.removesuffix("\n")


def test_files_that_are_no_scene(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    options = write_scene(tmp_path)
    Path("text.mat").write_text("no scene, but a text that is long enough to be looked at\n" * 9)
    Path("new.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400))
    cases = {
        ("--cube", "cube.mat"): "--cube and --truth go together.",
        ("--cube", "gone.mat", "--truth", "truth.mat"): "gone.mat: No such file or directory.",
        ("--cube", ".", "--truth", "truth.mat"): ".: Is a directory.",
        ("--cube", "text.mat", "--truth", "truth.mat"): "text.mat is damaged or no .mat file.",
        ("--cube", "new.mat", "--truth", "truth.mat"): (
            "new.mat is of MATLAB 7.3, which is not read here: save it with -v7 in MATLAB."
        ),
        ("--cube", "truth.mat", "--truth", "truth.mat"): (
            "truth.mat must hold one 3-D array of numbers; it holds none."
        ),
        ("--cube", "cube.mat", "--truth", "cube.mat"): "cube.mat must hold one 2-D array of labels; it holds none.",
        (*options, "--bands", "21"): "21 principal components cannot be taken of 20 bands in 120 pixels.",
        (*options, "--size", "10"): "a patch of 10 pixels has no centre: give an odd size.",
        (*options, "--out", "gone/map.png"): "gone/map.png cannot be written: give a file in a folder that is there.",
    }
    for args, sentence in cases.items():
        assert refusal(script, tmp_path, *args) == sentence
    assert "bands must be at least 13" in refusal(script, tmp_path, *options, "--bands", "12")
    scipy_io.savemat("cube.mat", {name: np.zeros((10, 12, 20)) for name in ("a", "b")})
    assert refusal(script, tmp_path, *options) == "cube.mat must hold one 3-D array of numbers; it holds a, b."


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [
        (np.ones((10, 11), int), "cube.mat has 10 x 12 pixels and truth.mat has 10 x 11: they must match."),
        (np.ones((10, 12), int), "truth.mat has labels of less than two classes: there is nothing to tell apart."),
        (np.ones((10, 12)) / 2, "truth.mat must hold one 2-D array of labels; it holds none."),
        (
            np.where(np.arange(120) < 1, 5, np.where(np.arange(120) < 4, 9, 2)).reshape(10, 12),
            "too few labelled pixels for a training share of 0.1 in class 5 (1), 9 (3).",
        ),
    ],
)
def test_truth_that_fits_no_scene(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, truth: np.ndarray, sentence: str
):
    monkeypatch.chdir(tmp_path)
    assert refusal(script, tmp_path, *write_scene(tmp_path, truth)) == sentence


def test_truth_saved_as_floating_point(scenes: ModuleType, tmp_path: Path):
    write_scene(tmp_path, np.eye(10, 12) + 1)
    truth = scenes.read(tmp_path / "cube.mat", tmp_path / "truth.mat").truth
    assert truth.dtype.kind == "i"
    assert (truth == np.eye(10, 12) + 1).all()


def test_missing_framework(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert refusal(script, tmp_path) == "torch is not installed: pip install 'attn-blocks[torch]'"
