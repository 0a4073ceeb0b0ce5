"""The PyTorch class of a block."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from scaffold import docstrings, options, torch_parts
from scaffold.described import Described
from scaffold.texts import header, listed, signature

TEXT = Template('''\
"""`$name` for PyTorch; see `attn_core.$place`."""

from __future__ import annotations
$standard
import torch
from torch import Tensor$nn

$imports
$blocks


class $name(Layer, of=core.$name):
    $docstring

    if TYPE_CHECKING:
$types
        def __call__(self, $arguments) -> Tensor:
            """$answer"""

    def __init__($signature) -> None:
        block = core.$name($values)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, $arguments) -> Tensor:
        """$answer"""
        try:
            return run(self, $inputs)
        except Exception as error:
            explain(error, self.block, $shapes)
            raise
''')
IMPORTS = (
    "from attn_core.interpreters.shapes import explain",
    "from attn_torch.layer import Layer, run",
)
OPTIONS = ("device: torch.device | str | None = None", "dtype: torch.dtype | None = None")
RAISES = """
**Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
error, with a note that says which step could not take it.
"""


def write(block: Described) -> str:
    """Return the file's text."""
    docs = docstrings.docstring(
        docstrings.summary(block),
        docstrings.in_short(block),
        docstrings.mathematics(block),
        docstrings.canonical_shape(block),
        docstrings.fields(block, "``device``, ``dtype``: as in `torch.nn`."),
        docstrings.derivatives(block),
        RAISES,
    )
    kinds = torch_parts.kinds(block)
    text = TEXT.substitute(
        header(block, IMPORTS, ["from typing import TYPE_CHECKING"]),
        docstring=docs,
        nn=", nn" if any("nn." in kind for kind in kinds.values()) else "",
        blocks=_imports(kinds),
        types="".join(f"        {name}: {kind}\n" for name, kind in kinds.items()),
        signature=signature(block.fields, OPTIONS),
        values=listed(f"{f.name}={f.name}" if f.keyword else f.name for f in block.fields),
        arguments=listed(f"{name}: Tensor" for name in block.inputs),
        shapes=listed(f"{name}.shape" for name in block.inputs),
    )
    return "\n\n".join([text, *options.typed(block, block.fields, OPTIONS), *block.constructors])


def _imports(kinds: Mapping[str, str]) -> str:
    """Return the lines that import what types are called, for whoever checks them."""
    lines = torch_parts.imports(kinds)
    return "\n".join(["\nif TYPE_CHECKING:", *(f"    {line}" for line in lines)]) if lines else ""
