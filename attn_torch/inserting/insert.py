"""Attention inserted into a network that is there, pretrained or not, and taken out again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from torch import nn

from attn_core.interpreters.cost import cost
from attn_core.models.inserting.inserted import require_start
from attn_core.models.inserting.places import Place, chosen, where
from attn_core.models.inserting.report import Report, Row
from attn_core.spec import SpecError
from attn_torch.inserting import networks
from attn_torch.inserting.attached import After, Attached, Before, attach, attached, detach, detached
from attn_torch.inserting.images import Image, image
from attn_torch.inserting.making import Choice, made
from attn_torch.inserting.passes import Input, calls
from attn_torch.layer import Layer


def insert(
    model: nn.Module,
    at: Place | None = None,
    block: Choice | None = None,
    *,
    after: Place | None = None,
    before: Place | None = None,
    start: str | float = "identity",
    input: Input = None,
    freeze: bool = False,
    name: str = "attention",
    channels_last: bool | None = None,
) -> Report:
    r"""Insert a block after, or before, layers of a network; the names of all weights that were there stay.

    ``insert(model, "layer[1-4].*.bn3", "cbam")`` puts a `CBAM` after each of these layers, in place. It becomes the
    layer's child `name`, so its weights are ``layer1.0.bn3.attention.inner.channel.reduce.weight`` and so on, and a
    hook runs it. Compile, wrap or export the network after that.

    - ``at``, ``after``, ``before``: one of them says where: a glob on names (``*`` is any characters), a compiled
      pattern that matches whole names, a type of layers, a function of name and layer, or a list of these. ``at`` is
      ``after``: on the layer's output; ``before`` is on its first argument.
    - ``block``: a name or text as "se" or "CBAM(reduction=8)", a block of `attn_core`, a layer of this package, or a
      function of the number of channels that returns one.
    - ``start``: with "identity" the network computes what it did, to rounding, and the gates learn from the first step.
      What is inserted is y = x + a (B(x) / c - x) with a learned strength a for each channel. Where the gates of the
      block B are one number while its last layers are 0, these start at 0, c is that number, and a starts at 1; where
      the fresh block returns its image, c and a are 1; else a starts at 0. With a number, a starts there, c is 1 and
      B's weights are its paper's. With "paper" it is B alone. Of a layer that is given, "identity" sets the last
      layers to 0, too; what is trained goes in with a number or "paper".
    - ``input``: an image that the network takes, its shape, or a tuple of its inputs, for the passes that find the
      channels; left out, a shape is guessed from the first convolution.
    - ``freeze``: whether the parameters that were there get no gradient any more. Running statistics are no parameters:
      in training, they move as ever.
    - ``channels_last``: whether the axes there are (batch, pixels ..., channels); left out, passes on images of two
      sizes tell, or the layer.

    **Returns** a report: rows with places, blocks, new keys, parameters and multiply-adds; printed, a table.

    **Raises** `SpecError` (a `ValueError`), before anything is changed, for a place that is none, which lists what is
    there; for one without an image, or that is called on several numbers of channels; for a block that does not keep
    the shape; for a network that is compiled, wrapped or scripted already.
    """
    networks.require_changeable(model)
    require_start(start)
    if block is None:
        raise SpecError('insert needs a block: a name as "cbam", or block=.')
    plans = _plans(model, *where(at, after, before), input, channels_last)
    if isinstance(block, Layer) and len(plans) > 1:
        raise SpecError(f"One layer at {len(plans)} places would share its weights: give a function of the channels.")
    new = [_made(block, plan, start, model) for plan in plans]
    froze = _frozen(model) if freeze else ()
    rows = []
    for plan, layer in zip(plans, new, strict=True):
        hook = (After if plan.side == "after" else Before)(_free(plan.layer, name), plan.image.channels_last)
        hook.froze, froze = froze, ()
        attach(plan.layer, layer, hook)
        rows.append(_row(plan, layer, hook, start))
    return Report(tuple(rows), model)


def remove(model: nn.Module) -> list[str]:
    """Take all out that was inserted, and let parameters learn again that were frozen with it; return the places.

    The network is what it was, its weights as they are now. **Raises** `SpecError` for one that is compiled or wrapped.
    """
    networks.require_changeable(model)
    found = list(attached(model))
    for _, layer, hook in found:
        detach(layer, hook)
    parameters = dict(model.named_parameters(remove_duplicate=False))
    for key in (key for _, _, hook in found for key in hook.froze if key in parameters):
        parameters[key].requires_grad_(True)
    return [name for name, _, _ in found]


def without(model: nn.Module) -> AbstractContextManager[nn.Module]:
    """Return a context in which all is out that was inserted, as for ``model.load_state_dict(old)``.

    Old files load with ``strict=True``, and the network computes what it would without attention.
    """
    networks.require_changeable(model)
    return _without(model)


@contextmanager
def _without(model: nn.Module) -> Iterator[nn.Module]:
    with detached(model):
        yield model


def new_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of what was inserted, as a group for an optimiser."""
    return [p for _, layer, hook in attached(model) for p in getattr(layer, hook.child).parameters()]


def old_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that were there, but for those that are frozen, as a group for an optimiser."""
    new = {id(parameter) for parameter in new_parameters(model)}
    return [p for p in model.parameters() if p.requires_grad and id(p) not in new]


@dataclass(frozen=True)
class _Plan:
    place: str
    layer: nn.Module
    side: str
    image: Image


def _plans(model: nn.Module, what: Place, side: str, given: Input, channels_last: bool | None) -> list[_Plan]:
    known = networks.layers(model)
    names = list(dict.fromkeys(networks.single(name, model, side) for name in chosen(known, what)))
    picked = {name: known[name] for name in names}
    found = calls(model, picked, given)
    return [_Plan(n, layer, side, image(n, layer, side, found, channels_last)) for n, layer in picked.items()]


def _made(block: Choice, plan: _Plan, start: str | float, model: nn.Module) -> Layer:
    try:
        return made(block, plan.image.shape, start, plan.layer, model)
    except ValueError as error:  # of a configuration or a shape: it says nothing of the place
        raise SpecError(f"{plan.side} {plan.place}: {error}") from error


def _free(layer: nn.Module, name: str) -> str:
    """Return the name, with a number where the layer has an attribute of it."""
    names = (name, *(f"{name}{i}" for i in range(2, 100)))
    return next(each for each in names if not hasattr(layer, each))


def _frozen(model: nn.Module) -> tuple[str, ...]:
    names = tuple(name for name, parameter in model.named_parameters() if parameter.requires_grad)
    for name in names:
        model.get_parameter(name).requires_grad_(False)
    return names


def _row(plan: _Plan, layer: Layer, hook: Attached, start: str | float) -> Row:
    shape = (1, *plan.image.shape[1:])
    calls = plan.image.calls
    counted = None if calls is None else calls * cost(layer.block, _known(shape)).multiply_adds
    keys = tuple(f"{plan.place}.{hook.child}.{key}" for key in layer.state_dict())
    note = f"called {calls} times in a pass, with the same weights" if calls and calls > 1 else ""
    return Row(plan.place, plan.side, layer.block, start, shape, layer.block.parameters(), counted, keys, note)


def _known(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(size or 1 for size in shape)
