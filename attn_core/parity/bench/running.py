"""A bench: for each block, image, type and pass, the layers that stand for it, timed in turn.

What a framework can do is behind `Stand`, which the module `bench` of each backend makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

from numpy.typing import NDArray

from attn_core.parity.bench.asked import PLAIN, Peer, Trial
from attn_core.parity.bench.contest import COMPILED, OURS, Entrant, Ratio, Timed, compared, measured
from attn_core.parity.bench.proof import Proof, proven
from attn_core.parity.draws import Draw, draw
from attn_core.parity.runtimes import beside
from attn_core.spec import Block

Numbers = NDArray[Any]


class Stand(Protocol):
    """Where the layers of one framework are run: on a device, with so many threads.

    A layer is whatever its framework has; all other arguments and results are canonical.
    """

    processor: str  # what the device calls itself
    ways: tuple[str, ...]  # in which it runs layers, the usual one first

    def ours(self, trial: Trial, drawn: Draw) -> Any:
        """Return the native layer of a block, with the weights drawn."""
        ...

    def plain(self, trial: Trial, drawn: Draw) -> Any:
        """Return what a person would write by hand for it, with the same weights; None where there is nothing."""
        ...

    def named(self, package: str, trial: Trial) -> tuple[str, Any] | None:
        """Return the name and the layer that a package has for the block; None where it has none."""
        ...

    def adopted(self, path: str, arguments: str, trial: Trial) -> Any:
        """Return the layer that is called `module:Class`, made with these arguments. **Raises** `ForeignError`."""
        ...

    def output(self, layer: Any, drawn: Draw, trial: Trial) -> Numbers:
        """Run a layer once outside of training; return its output, canonical and in float64."""
        ...

    def entrant(self, name: str, layer: Any, way: str, trial: Trial, drawn: Draw) -> Entrant:
        """Return a layer that is ready to be timed."""
        ...

    def copy(self, trial: Trial, drawn: Draw) -> Entrant:
        """Return what copies the image into another that is there."""
        ...


@dataclass(frozen=True)
class Plan:
    """What is to be run; `ways` are eager, compiled or both."""

    trials: Sequence[Trial]
    against: Sequence[Peer]
    ways: Sequence[str]
    rounds: int
    check: bool = False


@dataclass(frozen=True)
class Contest:
    """What was found of one trial; `notes` say in a sentence each what could not be compared."""

    trial: Trial
    timed: tuple[Timed, ...]
    ratios: tuple[Ratio, ...]
    notes: tuple[str, ...] = ()
    proof: Proof | None = None


def stand(runtime: str, device: str, threads: int) -> Stand:
    """Return where layers of a runtime are timed.

    **Raises** `MissingRuntimeError` if its framework is not installed, `ValueError` if there is no such device.
    """
    return cast(Stand, beside(runtime, "bench").stand(device, threads))


def ways_of(stand: Stand, runtime: str, *, compiled: bool) -> tuple[str, ...]:
    """Return the ways in which layers are run: as the framework usually does, and compiled if that is asked for.

    **Raises** `ValueError` where the framework does not compile.
    """
    if compiled and COMPILED not in stand.ways:
        raise ValueError(f"{runtime} compiles nothing: leave out --compile.")
    return tuple(way for way in stand.ways if way == stand.ways[0] or compiled)


def run(plan: Plan, stand: Stand) -> Iterator[Contest]:
    """Yield a contest for each trial.

    **Raises** `ValueError` or `ImportError` if a peer cannot be had, or is no layer for these images.
    """
    proofs: dict[tuple[Block, str], Proof] = {}
    for trial in plan.trials:
        drawn = draw(trial.block, trial.shapes, 0, trial.dtype)
        layers, notes = _layers(plan, stand, trial, drawn)
        entrants = [
            stand.entrant(name, layer, way, trial, drawn) for way in plan.ways for name, layer in layers.items()
        ]
        entrants.append(stand.copy(trial, drawn))
        timed, ratios = compared(entrants, measured(entrants, plan.rounds))
        key = trial.block, trial.dtype
        if plan.check and key not in proofs:
            proofs[key] = proven(partial(_ours_output, stand), trial)
        yield Contest(trial, tuple(timed), tuple(ratios), tuple(notes), proofs.get(key))


def _ours_output(stand: Stand, trial: Trial, drawn: Draw) -> Numbers:
    return stand.output(stand.ours(trial, drawn), drawn, trial)


def _layers(plan: Plan, stand: Stand, trial: Trial, drawn: Draw) -> tuple[dict[str, Any], list[str]]:
    """Return the layers of a trial by name, ours first, and a sentence for each peer that has none."""
    ours = stand.ours(trial, drawn)
    found, notes = {OURS: ours}, []
    wanted = stand.output(ours, drawn, trial).shape
    for peer in plan.against:
        named = _peer(peer, stand, trial, drawn)
        if named is None:
            whose = "Nobody here has written out" if peer.path == PLAIN else f"{peer.path} has no layer for"
            notes.append(f"{whose} {trial.block!r}: it stands without that peer.")
            continue
        name, layer = named
        _require_alike(name, layer, stand, trial, drawn, wanted)
        found[name] = layer
    return found, notes


def _peer(peer: Peer, stand: Stand, trial: Trial, drawn: Draw) -> tuple[str, Any] | None:
    if peer.is_class:
        return peer.path, stand.adopted(peer.path, peer.given(trial.shapes[0][1]), trial)
    if peer.path == PLAIN:
        plain = stand.plain(trial, drawn)
        return None if plain is None else (PLAIN, plain)
    return stand.named(peer.path, trial)


def _require_alike(name: str, layer: Any, stand: Stand, trial: Trial, drawn: Draw, wanted: Sequence[int]) -> None:
    """Demand that a peer takes the image and returns one of the same shape as ours."""
    size = "x".join(map(str, trial.shapes[0]))
    try:
        found = stand.output(layer, drawn, trial).shape
    except Exception as error:  # whatever somebody's layer raises
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{name} cannot run on an image of {size}: {type(error).__name__}: {reason}") from error
    if tuple(found) != tuple(wanted):
        sizes = " and ".join("x".join(map(str, shape)) for shape in (found, wanted))
        raise ValueError(f"{name} and {trial.block!r} are no pair: on {size} they return {sizes}.")
