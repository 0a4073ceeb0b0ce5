"""What each framework has its own words for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import Argument, ClassPlan, Instances, LayerMember, SourcePlan
from attn_core.porting.write.forward import Code
from attn_core.porting.write.spelling import CallText
from attn_core.porting.write.state import Convention

GAP = '''def unknown(operation, *inputs):
    """Stand for an operation of the graph that has no counterpart: write it here."""
    raise NotImplementedError(operation)


'''


class UnknownStepError(ValueError):
    """A step that a framework has no words for; the message says which."""


class Words:
    """How one framework says what a plan consists of.

    Fields:
        framework: its name.
        convention: its names and layouts of weights.
        functions: what it calls steps of one image without configuration.
        load: the source of the function that reads the weights.
        positional: whether instances are given their channels without a name.
    """

    framework: ClassVar[str]
    convention: ClassVar[Convention]
    functions: ClassVar[dict[str, str]]
    load: ClassVar[str]
    positional: ClassVar[bool] = True

    def __init__(self, plan: SourcePlan) -> None:
        self.plan = plan
        self.eps = plan.uniform("norm", "eps")
        self.momentum = plan.uniform("norm", "momentum")

    # ---- the module --------------------------------------------------------------------------------------------------

    def imports(self, text: str) -> str:
        """Return the lines that import what the text uses, with an empty line at the end."""
        raise NotImplementedError

    def norms(self, body: str) -> str:
        """Return the lines that define what all batch norms have in common."""
        raise NotImplementedError

    def helpers(self, body: str) -> str:
        """Return the functions that the classes call and no library has."""
        return GAP if "unknown(" in body else ""

    # ---- a class -----------------------------------------------------------------------------------------------------

    def opening(self, plan: ClassPlan, arguments: list[Argument]) -> Iterable[str]:
        """Yield the lines from `class` to the first member."""
        raise NotImplementedError

    def forward(self, plan: ClassPlan) -> str:
        """Return the line that opens the forward function."""
        raise NotImplementedError

    def layer(self, layer: LayerMember) -> CallText:
        """Return what makes a layer."""
        raise NotImplementedError

    def instances(self, member: Instances, calls: list[str], indent: str) -> Iterable[str]:
        """Yield the lines that make a list of instances."""
        raise NotImplementedError

    def run(self, member: Instances, x: Code) -> Code | list[str]:
        """Return what runs instances, an expression or lines that work on x."""
        raise NotImplementedError

    # ---- expressions -------------------------------------------------------------------------------------------------

    def step(self, step: Step, inputs: list[Code], layer: LayerMember | None) -> Code:
        """Return the expression of a step that is no arithmetic."""
        raise NotImplementedError

    def bound(self, step: Step, parts: list[Code]) -> Code:
        """Return the greater or smaller of two."""
        raise NotImplementedError

    def argument(self, text: str) -> str:
        """Return how a member refers to an argument of its class."""
        return text

    def size(self, layer: LayerMember, name: str) -> str:
        """Return a size of a layer as code."""
        return self.argument(layer.sizes[name])

    def weight(self, layer: LayerMember) -> str:
        """Return how plain weights are read."""
        return f"self.{layer.name}"

    def after(self, layer: LayerMember) -> Iterable[str]:
        """Yield lines that follow a layer's."""
        return ()

    def more(self) -> list[str]:
        """Return what every instance is given beside its sizes."""
        return []

    @property
    def norms_alike(self) -> bool:
        """Whether all batch norms have the same epsilon and momentum."""
        return self.eps is not None and self.momentum is not None

    def strange(self, step: Step, reason: str = "") -> UnknownStepError:
        """Return the error for a step without words."""
        why = f": {reason}" if reason else ""
        return UnknownStepError(f"{self.framework} has no words for {step.kind} ({step.name}){why}.")
