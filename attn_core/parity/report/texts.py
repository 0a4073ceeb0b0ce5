"""How a report says its numbers and sentences."""

from __future__ import annotations

import math
import re
from collections import Counter

from attn_core.parity.result import BROKEN, FAILED, LEFT_OUT, PASSED, Cell, Report, Tensor


def spelt(text: str) -> str:
    """Spell out what is no character of XML, what a font does not show, and what turns the direction of writing."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def short(share: float) -> str:
    """Return an error / bound in two digits."""
    return "∞" if share == math.inf else _plain_exponent(f"{share:.2g}")


def number(value: float, digits: int = 9) -> str:
    """Return a number that was compared; nine digits tell every two numbers in float32 apart."""
    return _plain_exponent(f"{value:.{digits}g}")


def bound(tensor: Tensor) -> str:
    """Return how far rounding may take the worst number; "none" where that is not known."""
    return "none" if tensor.bound == math.inf else number(tensor.bound, 3)


def _plain_exponent(text: str) -> str:
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def shapes(cell: Cell) -> str:
    """Return the shapes of a cell's inputs."""
    return " and ".join("x".join(map(str, shape)) for shape in cell.shapes)


def mark(cell: Cell) -> str:
    """Return what stands in a cell of the map; a cross tells a failure without its colour."""
    marks = {FAILED: f"✕ {short(cell.share)}", BROKEN: "✕ error", LEFT_OUT: "–"}
    return marks.get(cell.status, short(cell.share))


def value(field: object) -> str:
    """Return the value of a field of a configuration."""
    return field if isinstance(field, str) else repr(field)


def index(tensor: Tensor) -> str:
    """Return where in an array its worst number stands."""
    return f"[{', '.join(map(str, tensor.index))}]" if tensor.index else ""


def worst(cell: Cell) -> Tensor | None:
    """Return the tensor with the greatest error / bound, if any was compared."""
    return max(cell.tensors, key=lambda tensor: tensor.share, default=None)


def difference(tensor: Tensor) -> str:
    """Return what was found in a tensor, in one line."""
    numbers = f"found {number(tensor.found)}, wanted {number(tensor.wanted)}"
    line = f"{tensor.name}{index(tensor)}: {numbers}, bound {bound(tensor)}, {short(tensor.share)} x the bound"
    return f"{line} ({tensor.remark})" if tensor.remark else line


def where(cell: Cell) -> str:
    """Return the step at which a cell and the definition part ways, if it is known."""
    return f"The two part ways first at {cell.where}." if cell.where else ""


def headline(report: Report) -> str:
    """Return the outcome in one sentence."""
    counts = Counter(cell.status for cell in report.cells)
    compared = counts[PASSED] + counts[FAILED] + counts[BROKEN]
    if not compared:
        return "Nothing was compared"
    bad = counts[FAILED] + counts[BROKEN]
    if bad and compared == 1:
        return "The cell fails"
    if bad:
        return f"{bad} of {compared} cells {'fails' if bad == 1 else 'fail'}"
    return f"All {compared} cells agree with the definition" if compared > 1 else "The cell agrees with the definition"


def date(report: Report) -> str:
    """Return when the run was, for people."""
    return report.created.replace("T", " ", 1).replace("+00:00", " UTC")


def words(name: str) -> list[str]:
    """Return the words of a class' name: where a narrow page may break it."""
    return re.split("(?<=[a-z0-9])(?=[A-Z])", name)


def options(command: str) -> list[str]:
    """Return the pieces of a command that should not break; joined by spaces they are the command."""
    return re.split(" (?=--)", command)


def confidence(report: Report) -> str:
    """Return what the bounds promise."""
    if not report.chance:
        return "The bounds are worst cases: rounding alone cannot exceed them."
    return f"Rounding alone exceeds a bound with a chance of at most {number(report.chance, 3)} in each comparison."
