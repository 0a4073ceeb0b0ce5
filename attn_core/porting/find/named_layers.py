"""Layers as the names of their variables show them: a kernel and, where there is one, its bias."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from attn_core.porting.find.kernels import DenseLayer, Kernel
from attn_core.porting.find.variables import matrix
from attn_core.porting.graph.order import natural
from attn_core.porting.graph.reads import Stored

_LEAF = re.compile(r"(?P<stem>(?:.*_)?)(?:(?P<kernel>kernel|weights?|filters?|w|W)|bias(?:es)?|b|B)(?P<number>_?\d*)")


@dataclass(frozen=True)
class NamedLayer:
    """A layer as its variables' names show it; the path ends in its label."""

    path: str
    kernel: Stored
    bias: Stored | None

    @property
    def scope(self) -> str:
        """The path without the label."""
        return self.path.rpartition("/")[0]

    @property
    def sizes(self) -> tuple[int, int] | None:
        """Number of inputs and outputs, None for a kernel that is no matrix."""
        return matrix(self.kernel.shape)

    @property
    def layer(self) -> DenseLayer:
        """The layer without its name."""
        return DenseLayer(Kernel(self.kernel), self.bias)


def named_layers(weights: Mapping[str, tuple[int, ...]]) -> list[NamedLayer]:
    """Put kernels and biases together, in natural order."""
    kernels: dict[str, Stored] = {}
    biases: dict[str, Stored] = {}
    for name, shape in weights.items():
        scope, slash, leaf = name.rpartition("/")
        if match := _LEAF.fullmatch(leaf):
            label = f"{match['stem']}{match['number']}".strip("_")
            path = scope + (slash if label else "") + label
            kind = kernels if match["kernel"] else biases
            kind[name if path in kind else path] = Stored(name, shape)
    layers = [NamedLayer(path, kernel, biases.get(path)) for path, kernel in kernels.items() if len(kernel.shape) >= 2]
    return sorted(layers, key=lambda layer: natural(layer.path))
