"""What a comparison found: numbers, tensors, cells of the matrix, and the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PASSED, FAILED, BROKEN, LEFT_OUT = "passed", "failed", "error", "left out"


@dataclass(frozen=True)
class Tensor:
    """One array compared with the definition, at the number that is worst.

    `name` is "output", "gate:channel", "grad:input", "stat:norm.running_mean", ... `share` is error / bound: above
    1 the two differ by more than rounding explains; infinite for NaN, a wrong shape or an array that one side lacks.
    `error` is the largest absolute error anywhere. `remark` says why a bound tells little, or what is wrong with the
    array as a whole.
    """

    name: str
    size: int
    share: float
    error: float
    index: tuple[int, ...] = ()
    found: float = 0.0
    wanted: float = 0.0
    bound: float = 0.0
    remark: str = ""

    @property
    def passed(self) -> bool:
        """Whether the error is within the bound."""
        return self.share <= 1


@dataclass(frozen=True)
class Cell:
    """One block in one runtime, dtype and mode: the worst of its draws for each tensor.

    `block` is its class, `text` its configuration. `shares` holds the worst share of each draw. `status` is "passed",
    "failed", "error" (it could not be run: `message` says why) or "left out" (it is not meant to run: likewise).
    `where` names the first step of the definition at which the two part ways, when that can be told. `layer` is what
    the command says of a layer that is not ours: `my_package.layers:MySE --args "64"`.
    """

    block: str
    text: str
    runtime: str
    dtype: str
    mode: str
    shapes: tuple[tuple[int, ...], ...]
    seed: int
    status: str
    tensors: tuple[Tensor, ...] = ()
    shares: tuple[float, ...] = ()
    message: str = ""
    where: str = ""
    seconds: float = 0.0
    layer: str = ""

    @property
    def share(self) -> float:
        """The worst error / bound; infinite for what could not be run, 0 for what was left out."""
        if self.status == BROKEN:
            return float("inf")
        return max((tensor.share for tensor in self.tensors), default=0.0)

    @property
    def command(self) -> str:
        """The command that runs this cell alone."""
        shapes = "".join(f" --shape {','.join(map(str, shape))}" for shape in self.shapes)
        of = (
            f'{self.layer} --block "{self.text}"' if self.layer else f'--blocks "{self.text}" --runtimes {self.runtime}'
        )
        chosen = f"--dtypes {self.dtype} --modes {self.mode}"
        draws = f" --draws {len(self.shares)}" if len(self.shares) > 1 else ""
        return f"attn parity {of} {chosen}{shapes} --seed {self.seed}{draws}"


@dataclass(frozen=True)
class Subject:
    """What a report shows of a block: its configuration, source, formula, and weights with shapes and laws."""

    block: str
    text: str
    source: str
    formula: str
    config: Mapping[str, object]
    weights: Mapping[str, tuple[tuple[int, ...], str]]


@dataclass(frozen=True)
class Report:
    """A whole run. `missing` holds each runtime that was asked for and is not installed, with the reason."""

    cells: tuple[Cell, ...]
    subjects: tuple[Subject, ...]
    seed: int
    chance: float
    versions: Mapping[str, str]
    machine: str
    created: str
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def failures(self) -> list[Cell]:
        """The cells that failed or could not be run, worst first."""
        bad = [cell for cell in self.cells if cell.status in (FAILED, BROKEN)]
        return sorted(bad, key=lambda cell: -cell.share)
