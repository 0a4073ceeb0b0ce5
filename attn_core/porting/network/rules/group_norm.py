"""Group norms by hand: channels reshaped into groups, normalised by the moments of each group, and put together again.

The articles' listing, and programs after it, reshape [N, C, H, W] to [N, G, C/G, H, W] or [N, H, W, C] to
[N, H, W, G, C/G]. What scales and moves the result comes after the last reshape, and is no part of this.
"""

from __future__ import annotations

from collections.abc import Iterator

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.numbers import NUMBER
from attn_core.porting.network.steps.axes import NCHW, NHWC
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Step, Value

OF_A_GROUP = {NHWC: (1, 2, 4), NCHW: (2, 3, 4)}  # the axes that each group has to itself, in the graph


def group_norm(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Lift a group norm at its last reshape; None if this is the end of none."""
    normal = lifter.steps.get(x.step)
    found = _Parts(lifter, normal).normalised() if normal else None
    if found is None:
        return None
    groups, eps = found
    # A last reshape to another shape would shuffle what was normalised.
    source = lifter.graph.nodes[groups.name].inputs[0]
    if lifter.observed.shapes[source] != lifter.observed.shapes[Ref(node.name)]:
        return None
    fields = {"groups": groups.fields["groups"], "eps": eps}
    return lifter.add(node, "group_norm", (lifter.value(source),), fields)


class _Parts:
    """Reads the steps of a normalisation from its end."""

    def __init__(self, lifter: Lifter, end: Step) -> None:
        self.steps, self.end = lifter.steps, end
        groups: Step | None = end
        while groups is not None and "within" not in groups.fields:
            groups = self.steps.get(groups.inputs[0])
        self.within = groups.fields["within"] if groups is not None else ()

    def normalised(self) -> tuple[Step, float] | None:
        """Return the groups that were normalised and epsilon."""
        if self.end.kind == "add":
            return self._of_sum()
        return self._of_difference(self.end)

    def _of_difference(self, end: Step) -> tuple[Step, float] | None:
        """Read (x - mean) / deviation, or (x - mean) * (1 / deviation)."""
        # Epsilon stands under the root, in both forms.
        for centred, scale in self._pairs(end, "divide" if end.kind == "divide" else "multiply"):
            eps = self._eps(scale, "sqrt" if end.kind == "divide" else "rsqrt")
            groups = self._centred(centred)
            if groups is not None and eps is not None and eps[0] is groups:
                return eps
        return None

    def _of_sum(self) -> tuple[Step, float] | None:
        """Read x * inverse + (-mean * inverse), as `tf.nn.batch_normalization` has it."""
        for product, offset in self._pairs(self.end, "add"):
            # A scale in here would be of groups, not of channels: then it is no plain norm, and stays unknown.
            for x, inverse in self._pairs(product, "multiply"):
                eps = self._eps(inverse, "rsqrt")
                if eps is None or eps[0] is not x:
                    continue
                ways = self._pairs(offset, "multiply")
                if any(other is inverse and self._is_minus_mean(mean, x) for mean, other in ways):
                    return eps
        return None

    def _is_minus_mean(self, step: Step, x: Step) -> bool:
        inside = self._input(step) if step.kind == "negative" else None
        return inside is not None and self._mean_of(inside) is x

    def _eps(self, step: Step, kind: str) -> tuple[Step, float] | None:
        """Read the deviation, or its inverse: the groups of which it is, and what was added to the variance."""
        total = self._input(step) if step.kind == kind else None
        if total is None or total.kind != "add" or NUMBER not in total.fields["operands"]:
            return None
        variance = self._input(total)
        squares = self._mean_of(variance) if variance else None
        groups = self._squared(squares) if squares else None
        return None if groups is None else (groups, float(total.fields["number"]))

    def _squared(self, step: Step) -> Step | None:
        """Return the groups whose squared distances from their means these are."""
        if step.kind == "square":
            inside = self._input(step)
            return self._centred(inside) if inside else None
        return self._apart(step, "squared_difference")

    def _centred(self, step: Step) -> Step | None:
        return self._apart(step, "subtract")

    def _apart(self, step: Step, kind: str) -> Step | None:
        """Return the groups from which their own means are taken."""
        for x, mean in self._pairs(step, kind):
            if "within" in x.fields and self._mean_of(mean) is x:
                return x
        return None

    def _mean_of(self, step: Step) -> Step | None:
        """Return what a step is the mean of, over each group."""
        fields = step.fields
        is_mean = step.kind == "mean" and fields["keep"] and fields["axes"] == self.within
        return self._input(step) if is_mean else None

    def _input(self, step: Step) -> Step | None:
        return self.steps.get(step.inputs[0])

    def _pairs(self, step: Step, kind: str) -> Iterator[tuple[Step, Step]]:
        """Yield the two operands of a step; of a sum, product or distance either way round."""
        if step.kind != kind or step.fields.get("operands", (0, 1)) != (0, 1):
            return
        first, second = (self.steps.get(name) for name in step.inputs)
        if first is not None and second is not None:
            yield first, second
            if kind not in ("divide", "subtract"):
                yield second, first
