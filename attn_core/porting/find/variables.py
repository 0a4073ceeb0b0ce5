"""Which variables of a checkpoint are weights, and which belong to the training."""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

AVERAGE = "/ExponentialMovingAverage"
OBJECT = "/.ATTRIBUTES/VARIABLE_VALUE"  # the end of every name in an object-based checkpoint
_SLOT = re.compile(
    r"(Adam(W|ax|Optimizer)?|Nadam|Momentum|RMSProp|Adagrad(DA)?|ProximalAdagrad|Adadelta|Ftrl|LARS\w*|LAMB\w*)(_\d+)?"
    r"|beta[12]_power(_\d+)?|global_step|local_step|biased|save_counter|_CHECKPOINTABLEOBJECT_GRAPH"
)


class MissingWeights(Exception):  # noqa: N818 - a finding about one block, not a damaged file
    """Why the weights of a block cannot be had from the file; the message ends a sentence."""


@dataclass(frozen=True)
class Catalogue:
    """The weights of a checkpoint by their TensorFlow names.

    Fields:
        weights: the shape of each, also of those of which the file holds nothing but the moving average.
        stored: the name under which the file holds a weight itself.
        averages: the name under which the file holds its moving average.
        aside: the names of optimizer slots and counters.
    """

    weights: Mapping[str, tuple[int, ...]]
    stored: Mapping[str, str]
    averages: Mapping[str, str]
    aside: tuple[str, ...]


def catalogue(shapes: Mapping[str, tuple[int, ...]]) -> Catalogue:
    """Sort the variables of a file, given with their shapes."""
    plain = {name.removesuffix(OBJECT): name for name in shapes}
    shadows = {name for name in plain if name.endswith(AVERAGE)}
    aside = {name for name in plain.keys() - shadows if _is_slot(name, plain, shapes)}
    stored = {name: plain[name] for name in plain.keys() - shadows - aside}
    averages: dict[str, str] = {}
    for name in sorted(shadows, key=lambda name: name.removesuffix(AVERAGE) not in stored):
        averages.setdefault(_owner(name.removesuffix(AVERAGE), stored), plain[name])
    weights = {name: shapes[full] for name, full in {**averages, **stored}.items()}
    return Catalogue(weights, stored, averages, tuple(sorted(plain[name] for name in aside)))


def _is_slot(name: str, plain: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Slots have names that TensorFlow gives, or stand below the variable that they have the shape of."""
    parent, _, leaf = name.rpartition("/")
    owner = plain.get(_owner(parent, plain))
    below = owner is not None and shapes[owner] == shapes[plain[name]]
    return below or ".OPTIMIZER_SLOT" in name or bool(_SLOT.fullmatch(leaf))


def _owner(name: str, known: Collection[str]) -> str:
    """Return the variable of this name; a scope of the training code may stand before it."""
    scopes = name.split("/")
    return next((each for k in range(len(scopes)) if (each := "/".join(scopes[k:])) in known), name)


def choose(known: Catalogue, names: Iterable[str], averages: bool) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the names to read for the weights ``names`` of one block, and notes on moving averages.

    `MissingWeights` is raised if the file does not hold them.
    """
    wanted = list(names)
    followed = [name for name in wanted if name in known.averages]
    listed = ", ".join(known.averages[name] for name in followed)
    if wanted == followed and averages:
        return {name: known.averages[name] for name in wanted}, (f"took the moving averages: {listed}",)
    if missing := [name for name in wanted if name not in known.stored]:
        hint = f" (only the moving averages {listed})" if followed else ""
        raise MissingWeights(f"the checkpoint does not hold {', '.join(missing)}{hint}")
    notes: tuple[str, ...] = ()
    if followed:
        reason = "not all variables have them" if wanted != followed else "averages=False"
        notes = (f"took the variables themselves, not the moving averages ({reason}): {listed}",)
    return {name: known.stored[name] for name in wanted}, notes


def matrix(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return (in, out) if this is the shape of a dense kernel or of a 1x1 convolution."""
    return (shape[-2], shape[-1]) if len(shape) >= 2 and math.prod(shape[:-2]) == 1 else None
