"""Porting the attention blocks of a TensorFlow 1 network: find, check in the target framework, write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from attn_core import parity, weights
from attn_core.porting.find.variables import AVERAGE
from attn_core.porting.folder import replacing
from attn_core.porting.recorded import Recording
from attn_core.porting.tf1 import Findings, FoundBlock

MANIFEST = "port.json"
BOUND = 1e-5  # largest error of a check, in the units of `parity.error`


@dataclass(frozen=True)
class Ported:
    """A block that was run in the target framework, with the error of each comparison."""

    found: FoundBlock
    file: str
    random: dict[str, float]
    recorded: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every comparison is within the bound."""
        return all(error <= BOUND for error in (*self.random.values(), *self.recorded.values()))

    @property
    def averaged(self) -> bool:
        """Whether weights are moving averages."""
        return any(name.endswith(AVERAGE) for name in self.found.variables.values())

    @property
    def layers(self) -> list[str]:
        """The names of the TensorFlow layers, without the scope that names the block."""
        scope = self.found.name.partition("#")[0] + "/"
        names = (name.partition("/.ATTRIBUTES/")[0].removesuffix(AVERAGE) for name in self.found.variables.values())
        inside = (name.removeprefix(scope) if "/" in name.removeprefix(scope) else name for name in names)
        return list(dict.fromkeys(name.rpartition("/")[0] or name for name in inside))


def check(findings: Findings, target: str, recordings: list[Recording] | None = None) -> Iterator[Ported]:
    """Run every block in the target framework, one after the other.

    Each is compared with the float64 reference on a random image and, with a recording, with what was recorded.
    **Raises** `parity.MissingRuntimeError` if the framework is not installed.
    """
    runtime = parity.runtime(target)
    for i, (found, file) in enumerate(zip(findings, _files(findings), strict=True)):
        recorded = _against_recording(runtime, found, recordings[i]) if recordings else {}
        with np.errstate(all="ignore"):  # the errors tell
            random, vain = _against_reference(runtime, found)
        yield Ported(found, file, random, recorded, (*found.notes, *_warnings(found, vain)))


def write(out: Path, source: str, target: str, findings: Findings, ported: list[Ported]) -> None:
    """Write one safetensors file for each block and `port.json`; all or nothing.

    **Raises** `FileExistsError` if `out` holds anything that an earlier port did not write.
    """
    with replacing(out, MANIFEST) as folder:
        for each in ported:
            weights.save(folder / each.file, each.found.block, each.found.weights)
        (folder / MANIFEST).write_text(json.dumps(report(source, target, findings, ported), indent=2) + "\n")


def report(source: str, target: str, findings: Findings, ported: list[Ported]) -> dict[str, Any]:
    """Return what `port.json` holds."""
    return {
        "made_by": f"attn port {version('attn-blocks')}",
        "source": source,
        "read_as": findings.source,
        "target": target,
        "bound": BOUND,
        "files": [each.file for each in ported],
        "blocks": [_describe(each) for each in ported],
        "undecided": list(findings.undecided),
        "warnings": list(findings.notes),
    }


def _describe(each: Ported) -> dict[str, Any]:
    arrays = each.found.weights.items()
    return {
        "name": each.found.name,
        "file": each.file,
        "block": type(each.found.block).__name__,
        "config": each.found.block.config(),
        "variables": each.found.variables,
        "weights": {name: {"shape": list(array.shape), "dtype": str(array.dtype)} for name, array in arrays},
        "errors": {"random": each.random, "recorded": each.recorded},
        "warnings": list(each.warnings),
    }


def _warnings(found: FoundBlock, vain: list[str]) -> Iterator[str]:
    if broken := [name for name, array in found.weights.items() if not np.isfinite(array).all()]:
        yield f"NaN or infinity in {', '.join(broken)}"
    elif vain:
        yield f"the random image does not test {', '.join(vain)}: the block's output ignores them"


def _against_reference(runtime: parity.Runtime, found: FoundBlock) -> tuple[dict[str, float], list[str]]:
    x = parity.sample_image((2, found.block.channels, 7, 5)).astype("float32")
    wanted = parity.expected(found.block, found.weights, x)
    outcome = runtime.run(found.block, found.weights, x)
    return parity.errors(outcome, wanted), parity.unproven(found.block, found.weights, x)


def _against_recording(runtime: parity.Runtime, found: FoundBlock, recording: Recording) -> dict[str, float]:
    outcome = runtime.run(found.block, found.weights, recording.image).arrays()
    wanted = {"gate:channel": recording.gate, "output": recording.output}
    return {name: parity.error(outcome[name], array) for name, array in wanted.items() if array is not None}


def _files(findings: Findings) -> list[str]:
    """Return a file name for each block: its name, made safe and unique."""
    names: list[str] = []
    for found in findings:
        stem = re.sub(r"[^A-Za-z0-9_-]+", ".", found.name).strip(".")[:100] or "block"
        taken = sum(name.split("~")[0].lower() == stem.lower() for name in names)
        names.append(f"{stem}~{taken + 1}" if taken else stem)
    return [f"{name}.safetensors" for name in names]
