"""What a comparison of a layer found."""

from __future__ import annotations

from dataclasses import dataclass

from attn_core.parity.result import PASSED, Cell, Tensor


@dataclass(frozen=True)
class Checked:
    """What a comparison found: a cell for each mode, and how the weights were taken over.

    `remark` says what a layer that passed does otherwise than the definition where no comparison tells: with ties.
    """

    cells: tuple[Cell, ...]
    how: str
    remark: str = ""

    @property
    def passed(self) -> bool:
        """Whether all is within bounds."""
        return all(cell.status == PASSED for cell in self.cells)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The worst of each tensor over the modes, by name."""
        every = [tensor for cell in self.cells for tensor in cell.tensors]
        every.sort(key=lambda tensor: tensor.share)
        return {tensor.name: tensor for tensor in every}  # the last of a name stays: the worst

    @property
    def share(self) -> float:
        """The worst error / bound."""
        return max((cell.share for cell in self.cells), default=0.0)

    @property
    def message(self) -> str:
        """What went wrong, for all modes."""
        messages = [cell.message for cell in self.cells]
        return "\n".join(filter(None, messages))
