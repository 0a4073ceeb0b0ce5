"""The definition, compared with what it was when it was released.

All runtimes run the same `forward`, so they cannot tell that a line of it has changed. `pins.json` holds a fingerprint
of everything that each standard configuration computes, step by step. When a definition is meant to change, pin it
anew, ``python -m attn_core.parity.pinned NAME``, and say so in the changelog; without a name, all blocks are pinned.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from attn_core.interpreters.rounding import Bounded, bounded
from attn_core.interpreters.trace import counted, trace
from attn_core.parity import fingerprints
from attn_core.parity.draws import Draw, draw
from attn_core.parity.fingerprints import Fingerprint
from attn_core.parity.result import Tensor
from attn_core.parity.subjects import Trial, chosen, known_name
from attn_core.spec import SpecError

DEFINITION = "definition"  # its name among the runtimes
FILE = Path(__file__).with_name("pins.json")
SEED = 0

Pins = Mapping[str, Mapping[str, float]]  # of a trial: of its steps, and of its arrays in each mode


@cache
def _pins() -> dict[str, Pins]:
    return _read()


def _read() -> dict[str, Pins]:
    found: dict[str, Pins] = json.loads(FILE.read_text())
    return found


def key(trial: Trial) -> str:
    """Return the name under which a trial is pinned."""
    return f"{trial.block!r} on {', '.join(map(str, trial.shapes))}"


def is_pinned(trial: Trial) -> bool:
    """Whether there are pins for this configuration and these shapes."""
    return key(trial) in _pins()


# ---- comparing -------------------------------------------------------------------------------------------------------


def compared_with_pins(trial: Trial, train: bool) -> tuple[tuple[Tensor, ...], str]:
    """Compare what the definition computes now, and say at which step it first differs."""
    pins, drawn = _pins()[key(trial)], _drawn(trial)
    mode = "train" if train else "eval"
    now = _outcome(trial, drawn, mode)
    arrays, pinned = now.values.arrays(), pins[mode]
    names = sorted(arrays.keys() | pinned.keys())
    tensors = tuple(_tensor(name, pinned.get(name), arrays.get(name), now) for name in names)
    changed = any(not tensor.passed for tensor in tensors)
    return tensors, _first(trial, drawn, pins["steps"]) if changed else ""


def _tensor(name: str, pin: float | None, array: NDArray[Any] | None, now: Bounded) -> Tensor:
    if pin is None or array is None:
        remark = "new: no number is pinned for it" if pin is None else "gone: it was computed once"
        return Tensor(name, 0, float("inf"), float("inf"), remark=remark)
    found = fingerprints.of_array(array, now.bounds[name])
    error = abs(found.value - pin)
    share = 0.0
    if error:  # of an array of zeros the bound is 0
        share = error / found.bound if found.bound else float("inf")
    return Tensor(name, array.size, share, error, (), found.value, pin, found.bound, "a fingerprint of the array")


def _first(trial: Trial, drawn: Draw, pins: Mapping[str, float]) -> str:
    steps = _steps(trial, drawn).items()
    return next((name for name, now in steps if not now.agrees(pins.get(name))), "")


# ---- what the definition computes now --------------------------------------------------------------------------------


def _drawn(trial: Trial) -> Draw:
    return draw(trial.block, trial.shapes, SEED)


def _outcome(trial: Trial, drawn: Draw, mode: str) -> Bounded:
    return bounded(trial.block, drawn.weights, drawn.given, drawn.cotangent, "float64", mode == "train")


def _steps(trial: Trial, drawn: Draw) -> dict[str, Fingerprint]:
    found = {}
    for step, before in counted(trace(trial.block, drawn.weights, drawn.given)):
        name = f"{step.name}, call {before + 1}" if before else step.name
        found[name] = fingerprints.of_step(step.output)
    return found


def _arrays(trial: Trial, drawn: Draw, mode: str) -> dict[str, Fingerprint]:
    now = _outcome(trial, drawn, mode)
    return {name: fingerprints.of_array(array, now.bounds[name]) for name, array in now.values.arrays().items()}


# ---- pinning ---------------------------------------------------------------------------------------------------------


def pin(name: str = "all") -> list[str]:
    """Pin a block, or "all", as it is now, and return the configurations whose pins changed.

    Pins of other blocks stay byte for byte. **Raises** `SpecError` for a name that is none.
    """
    name = name if name == "all" else known_name(name)
    before = _read()
    others = {pinned: pins for pinned, pins in before.items() if name not in ("all", _block(pinned))}
    own = {key(trial): _pinned(trial, before.get(key(trial), {})) for trial in chosen([name])}
    after = others | own
    changed = [pinned for pinned in before | after if before.get(pinned) != after.get(pinned)]
    if changed:
        _write(after)
    return changed


def _block(pinned: str) -> str:
    return pinned.partition("(")[0]


def _write(pins: Mapping[str, Pins]) -> None:
    standard = [key(trial) for trial in chosen(["all"])]
    # A new configuration comes where it stands among the others, and not at the end, where branches would collide.
    in_order = {pinned: pins[pinned] for pinned in [*standard, *pins] if pinned in pins}
    FILE.write_text(json.dumps(in_order, indent=1) + "\n")


def _pinned(trial: Trial, before: Pins) -> Pins:
    drawn = _drawn(trial)
    modes = ("eval", "train") if trial.trains else ("eval",)
    now = {"steps": _steps(trial, drawn)} | {mode: _arrays(trial, drawn, mode) for mode in modes}
    return {part: _kept(before.get(part, {}), found) for part, found in now.items()}


def _kept(before: Mapping[str, float], now: Mapping[str, Fingerprint]) -> dict[str, float]:
    # Processors add up in different orders: of numbers that agree, the last digits would change with the machine.
    return {name: before[name] if found.agrees(before.get(name)) else found.value for name, found in now.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command ``python -m attn_core.parity.pinned``."""
    parser = argparse.ArgumentParser(prog="python -m attn_core.parity.pinned", description=pin.__doc__)
    parser.add_argument("name", nargs="?", default="all", help="a block's class or file, as CBAM or cbam; or all")
    try:
        changed = pin(parser.parse_args(arguments).name)
    except SpecError as error:
        parser.exit(2, f"{error}\n")
    print("\n".join(f"pinned anew: {name}" for name in changed) or "Nothing has changed: the pins stay as they are.")


if __name__ == "__main__":
    main()
