"""Channel shuffles: channels put into groups, the groups turned, and all put together again."""

from __future__ import annotations

from attn_core.blocks.channel_shuffle import ChannelShuffle
from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.steps.axes import NHWC
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Step, Value

_TURNED = (0, 1, 2, 4, 3)  # groups and the channels within one change places


def shuffled(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Lift a shuffle at its last reshape; None if this is the end of none."""
    apart = _taken_apart(lifter, x)
    if apart is None:
        return None
    source = lifter.graph.nodes[apart.name].inputs[0]
    shapes = lifter.observed.shapes[source]
    if shapes != lifter.observed.shapes[Ref(node.name)]:
        return None
    channels = shapes[0][-1]
    block = ChannelShuffle(channels, apart.fields["groups"])
    # No variable tells its scope: it is called after the scope of its operations.
    around = node.name.rpartition("/")[0]
    path = f"{around}/channel_shuffle".lstrip("/")
    return lifter.add(node, "attention", (Value(apart.inputs[0], NHWC),), {"block": block}, NHWC, None, path)


def _taken_apart(lifter: Lifter, x: Value) -> Step | None:
    """Return the step that put channels into groups, if the groups were turned since and nothing else."""
    turned = lifter.steps.get(x.step)
    if turned is None or turned.kind != "permute" or turned.fields["axes"] != _TURNED:
        return None
    apart = lifter.steps.get(turned.inputs[0])
    return apart if apart and "groups" in apart.fields else None
