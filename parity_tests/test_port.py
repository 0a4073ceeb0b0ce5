"""Porting: what is written is what was in the checkpoint, and nothing is written that computes something else."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtimes import GOLDEN

import attn_core as core
from attn_core import parity, tf1
from attn_core.porting import one_block, recorded
from attn_core.porting.tf1 import Findings, FoundBlock

TF1 = {
    "tf1/se_block/model.ckpt": "tf1/se_block",
    "tf1/se_block/frozen.pb": "tf1/se_block",
    "tf1/se_block_v1_format/model.ckpt": "tf1/se_block",
    "tf1/se_block_saved_model": "tf1/se_block",
    "tf1/se_block_scoped_stack/model.ckpt": "tf1/se_block_scoped_stack",
    "tf1/se_block_scoped_stack/frozen.pb": "tf1/se_block_scoped_stack",
    "tf1/res_block2_net/model.ckpt-200": "tf1/res_block2_net",
    "tf1/res_block2_net/frozen.pb": "tf1/res_block2_net",
    "tf1_blocks/bias_free/model.ckpt": "tf1_blocks/bias_free",
    "tf1_blocks/one_by_one/model.ckpt": "tf1_blocks/one_by_one",
    "tf1_blocks/partitioned_variables/model.ckpt": "tf1_blocks/partitioned_variables",
    "tf1_blocks/resource_variables/model.ckpt": "tf1_blocks/resource_variables",
    "tf1_blocks/unscoped_stack/model.ckpt": "tf1_blocks/unscoped_stack",
}
BLOCK = core.SqueezeExcitation(4, 2)


def made(*names: str, **options: Any) -> Findings:
    """Return findings of one block of each name, each with weights of its own."""
    drawn = [core.initialise(BLOCK, seed) for seed in range(len(names))]
    weights = [{name: array + np.float32(0.3) for name, array in each.items()} for each in drawn]
    variables = {name: f"tf/{name}" for name in BLOCK.arrays()}
    pairs = zip(names, weights, strict=True)
    return Findings(tuple(FoundBlock(name, BLOCK, each, variables, **options) for name, each in pairs), "a test")


def ported(out: Path, findings: Findings, target: str = "torch") -> list[one_block.Ported]:
    checks = list(one_block.check(findings, target))
    one_block.write(out, "model.ckpt", target, findings, checks)
    return checks


@pytest.mark.parametrize("path", TF1)
def test_recordings(tmp_path: Path, path: str):
    """Every recorded network goes to PyTorch with its activations, and its weights come back bit by bit."""
    import attn_torch

    findings = tf1.find_blocks(GOLDEN / path)
    recordings = recorded.read(GOLDEN / TF1[path] / "io.npz", [found.block.channels for found in findings])
    checks = list(one_block.check(findings, "torch", recordings))
    assert checks
    assert all(check.passed for check in checks)
    one_block.write(tmp_path / "out", path, "torch", findings, checks)
    for check in checks:
        assert check.random.keys() == {"output", "gate:channel"}
        assert {"gate:channel"} <= check.recorded.keys() <= {"output", "gate:channel"}
        assert max(check.recorded.values()) < 1e-5
        assert_same_weights(core.load(tmp_path / "out" / check.file)[1], check.found.weights)
        assert_same_weights(attn_torch.weights(attn_torch.load(tmp_path / "out" / check.file)), check.found.weights)


def assert_same_weights(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        assert found[name].tobytes() == array.tobytes()


def test_weights_are_the_checkpoints_own(tmp_path: Path):
    """Not by way of the finder: the file's weights against the checkpoint's variables, turned by hand."""
    path = GOLDEN / "tf1" / "res_block2_net" / "model.ckpt-200"
    checks, variables = ported(tmp_path / "out", tf1.find_blocks(path)), tf1.read_checkpoint(path)
    assert len(checks) == 4
    for i, check in enumerate(checks):
        first, second = (f"dense_{n}" if n else "dense" for n in (2 * i, 2 * i + 1))
        weights = core.load(tmp_path / "out" / check.file)[1]
        assert np.array_equal(weights["reduce.weight"], variables[f"{first}/kernel"].T)
        assert np.array_equal(weights["reduce.bias"], variables[f"{first}/bias"])
        assert np.array_equal(weights["expand.weight"], variables[f"{second}/kernel"].T)
        assert np.array_equal(weights["expand.bias"], variables[f"{second}/bias"])


def test_report(tmp_path: Path):
    path = GOLDEN / "tf1" / "se_block_scoped_stack"
    findings = tf1.find_blocks(path / "model.ckpt")
    recordings = recorded.read(path / "io.npz", [found.block.channels for found in findings])
    checks = list(one_block.check(findings, "torch", recordings))
    one_block.write(tmp_path / "out", "the source", "torch", findings, checks)
    report = json.loads((tmp_path / "out" / "port.json").read_text())
    assert report["made_by"].startswith("attn port ")
    assert {key: report[key] for key in ("source", "read_as", "target", "bound")} == {
        "source": "the source",
        "read_as": "checkpoint with graph model.ckpt.meta",
        "target": "torch",
        "bound": 1e-5,
    }
    assert sorted([*report["files"], "port.json"]) == sorted(os.listdir(tmp_path / "out"))
    assert [block["name"] for block in report["blocks"]] == [found.name for found in findings]
    for block, check in zip(report["blocks"], checks, strict=True):
        shapes = {name: {"shape": list(a.shape), "dtype": "float32"} for name, a in check.found.block.arrays().items()}
        assert block["weights"] == shapes
        assert core.SqueezeExcitation(**block["config"]) == check.found.block
        assert block["block"] == "SqueezeExcitation"
        assert block["variables"] == check.found.variables
        assert block["errors"] == {"random": check.random, "recorded": check.recorded}
        assert block["warnings"] == list(check.warnings)
        assert core.load(tmp_path / "out" / block["file"])[0] == check.found.block


def test_report_tells_what_was_chosen_and_what_was_not(tmp_path: Path):
    findings = dataclasses.replace(made("a", notes=("chosen",)), undecided=("undecided",), notes=("of the file",))
    ported(tmp_path / "out", findings)
    report = json.loads((tmp_path / "out" / "port.json").read_text())
    assert report["blocks"][0]["warnings"] == ["chosen"]
    assert report["undecided"] == ["undecided"]
    assert report["warnings"] == ["of the file"]


def test_dead_weights_are_named():
    """A block whose relu never opens passes every check on its output: say what was not proved."""
    weights = made("a")[0].weights | {"reduce.bias": np.full(2, -99, np.float32)}
    findings = Findings((dataclasses.replace(made("a")[0], weights=weights),), "a test")
    (check,) = one_block.check(findings, "torch")
    sentence = "the random image does not test {}: the block's output ignores them"
    assert check.warnings == (sentence.format("reduce.weight, reduce.bias, expand.weight"),)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_beyond_numbers_fail(value: float):
    weights = made("a")[0].weights | {"reduce.weight": np.full((2, 4), value, np.float32)}
    findings = Findings((dataclasses.replace(made("a")[0], weights=weights),), "a test")
    (check,) = one_block.check(findings, "torch")
    assert not check.passed
    assert check.warnings == ("NaN or infinity in reduce.weight",)


HOSTILE = {
    "../x": "x",
    "/etc/passwd": "etc.passwd",
    "..": "block",
    "": "block",
    "port.json": "port.json",
    "a~2": "a.2",
    "CON\0\n\x1b[31m": "CON.31m",
    "ünïcode/é": "n.code",
    "\udcff": "block",
    "x" * 5000: "x" * 100,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name(tmp_path: Path, name: str):
    (check,) = ported(tmp_path / "out", made(name))
    assert check.file == f"{HOSTILE[name]}.safetensors"
    assert sorted(os.listdir(tmp_path / "out")) == sorted([check.file, "port.json"])
    assert os.listdir(tmp_path) == ["out"]
    assert json.loads((tmp_path / "out" / "port.json").read_text())["blocks"][0]["name"] == name


def test_names_that_collide(tmp_path: Path):
    """Same names, names differing only in case or in what is no letter: each block keeps a file of its own."""
    findings = made("a", "A", "a", "a~2", "a.2", "b/c", "b.c", "x" * 200, "x" * 300, *HOSTILE)
    checks = ported(tmp_path / "out", findings)
    files = [check.file for check in checks]
    assert files[:7] == [f"{n}.safetensors" for n in ("a", "A~2", "a~3", "a.2", "a.2~2", "b.c", "b.c~2")]
    assert len({file.lower() for file in files}) == len(findings)
    assert sorted(os.listdir(tmp_path / "out")) == sorted([*files, "port.json"])
    for check in checks:
        assert_same_weights(core.load(tmp_path / "out" / check.file)[1], check.found.weights)


@pytest.mark.parametrize(
    ("name", "variables", "layers"),
    [
        ("dense", ("dense/kernel", "dense_1/kernel"), ["dense", "dense_1"]),
        ("net/se", ("net/se/a/kernel", "net/se/b/kernel"), ["a", "b"]),
        ("net/se#2", ("net/se/a/w", "net/se/b/w"), ["a", "b"]),
        ("one", ("one/w1", "one/w2"), ["one"]),
        ("w1", ("w1", "w2"), ["w1", "w2"]),
        ("d", ("d/kernel/ExponentialMovingAverage", "e/kernel/ExponentialMovingAverage"), ["d", "e"]),
        ("d", ("d/kernel/.ATTRIBUTES/VARIABLE_VALUE", "e/kernel/.ATTRIBUTES/VARIABLE_VALUE"), ["d", "e"]),
    ],
)
def test_layers(name: str, variables: tuple[str, str], layers: list[str]):
    names = dict(zip(("reduce.weight", "expand.weight"), variables, strict=True))
    found = dataclasses.replace(made(name)[0], variables=names)
    check = one_block.Ported(found, "", {}, {}, ())
    assert check.layers == layers
    assert check.averaged == variables[0].endswith("Average")


def test_earlier_output_survives_a_failing_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ported(tmp_path / "out", made("a", "b"))
    before = contents(tmp_path)
    save, calls = (
        one_block.weights.save,
        iter([None, OSError(28, "No space left on device"), None, KeyboardInterrupt()]),
    )

    def failing(*args: Any) -> None:
        save(*args)
        if error := next(calls):
            raise error

    monkeypatch.setattr(one_block.weights, "save", failing)
    for kind in (OSError, KeyboardInterrupt):
        with pytest.raises(kind):
            ported(tmp_path / "out", made("c", "d"))
        assert contents(tmp_path) == before
    monkeypatch.undo()
    ported(tmp_path / "out", made("c"))
    assert sorted(os.listdir(tmp_path / "out")) == ["c.safetensors", "port.json"]


def contents(folder: Path) -> dict[str, bytes]:
    files: Iterator[Path] = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


class Wrong:
    """A runtime that is off by a little."""

    def __init__(self, name: str, **shift: float) -> None:
        self.right, self.shift = parity.runtime(name), shift

    def run(self, *args: Any, **options: Any) -> parity.Outcome:
        outcome = self.right.run(*args, **options)
        gates = {name: gate + self.shift.get("gate", 0) for name, gate in outcome.gates.items()}
        return dataclasses.replace(outcome, output=outcome.output + self.shift.get("output", 0), gates=gates)


@pytest.mark.parametrize("shift", [{"output": 1e-3}, {"gate": -1e-4}, {"output": np.nan}, {"gate": np.inf}])
def test_wrong_runtime_fails(shift: dict[str, float], monkeypatch: pytest.MonkeyPatch):
    wrong = Wrong("torch", **shift)
    (right,) = one_block.check(made("a"), "torch")
    monkeypatch.setattr(parity, "runtime", lambda name: wrong)
    (check,) = one_block.check(made("a"), "torch")
    assert right.passed
    assert not check.passed
    assert set(check.random) == {"output", "gate:channel"}


def test_wrong_recording_fails():
    found = made("a")
    image = parity.sample_image((2, 4, 3, 3)).astype(np.float32)
    wanted = parity.expected(BLOCK, found[0].weights, image)
    right = recorded.Recording(image, wanted.gates["channel"], wanted.output)
    assert next(one_block.check(found, "torch", [right])).passed
    for wrong in (
        dataclasses.replace(right, gate=right.gate + 1e-3, output=None),
        dataclasses.replace(right, gate=None, output=right.output + 1e-3),
    ):
        assert not next(one_block.check(found, "torch", [wrong])).passed
