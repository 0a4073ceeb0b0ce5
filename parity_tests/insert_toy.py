"""How far gates move in 100 steps from each start: `python parity_tests/insert_toy.py` prints docs/insert.md's table.

The task is one that channel and pixel gates can help with: the class is the quarter of the image, and the channel, in
which a patch is brighter. The network has been trained without attention for a while, as one that people have.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor, nn

import attn_torch
from attn_core.interpreters.one_pass import has_gates
from attn_core.models.attention import attention
from attn_core.models.registry import KNOWN
from attn_core.spec import Block, SpecError

CHANNELS, SIZE, CLASSES, STEPS = 12, 12, 4, 100


def gate_blocks() -> dict[str, Block]:
    """Return every block that multiplies an image with gates and keeps its shape, wide enough not to be dead."""
    found = {}
    for name in KNOWN:
        try:
            wide = "(reduction=3)" if "reduction" in KNOWN[name].__dataclass_fields__ else ""
            block = attention(name + wide, CHANNELS, 2)
        except SpecError:
            continue
        if block is not None and has_gates(block) and KNOWN[name].family != "networks":
            found[name] = block
    return found


def network() -> nn.Sequential:
    """Return a small network that has been trained for as many steps without attention."""
    model = _fresh()
    model.load_state_dict(_trained())
    return model


@cache
def _trained() -> dict[str, Tensor]:
    model = _fresh()
    train(model, 0)
    return model.state_dict()


def _fresh() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, CHANNELS, 3, padding=1),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(),
        nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, stride=2),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(CHANNELS, CLASSES),
    )


def batches(seed: int, count: int = STEPS, size: int = 16) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield images and their classes."""
    rng = torch.Generator().manual_seed(seed)
    for _ in range(count):
        x, y = torch.randn(size, 3, SIZE, SIZE, generator=rng), torch.randint(0, CLASSES, (size,), generator=rng)
        for image, label in zip(x, y.tolist(), strict=True):
            row, column = (label // 2) * SIZE // 2, (label % 2) * SIZE // 2
            image[label % 3, row : row + SIZE // 2, column : column + SIZE // 2] += 1
        yield x, y


def train(model: nn.Module, seed: int, adam: bool = False) -> None:
    """Take steps of SGD with momentum, or of AdamW."""
    parameters = model.parameters()
    optimiser = torch.optim.AdamW(parameters, 3e-3) if adam else torch.optim.SGD(parameters, 0.05, 0.9)
    model.train()
    for x, y in batches(seed):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()


def gates(model: nn.Module, x: Tensor) -> Tensor:
    """Return all gates of the network on images, in one row."""
    with torch.no_grad(), attn_torch.record_gates(model.eval()) as found:
        model(x)
    return torch.cat([gate.flatten() for calls in found.values() for call in calls for gate in call.values()])


def moved(block: Block, start: str | float, adam: bool = False) -> float:
    """Return by how much the gates have moved, on average, after the steps."""
    model = network()
    probe = next(batches(2))[0]
    attn_torch.insert(model, "1", block, start=start)
    before = gates(model, probe)
    train(model, 1, adam)
    return (gates(model, probe) - before).abs().mean().item()


def main() -> None:
    """Print the table."""
    print("| block | identity, SGD | AdamW | a = 0, SGD | AdamW | paper, SGD | AdamW |\n|---|---|---|---|---|---|---|")
    for name, block in gate_blocks().items():
        figures = [moved(block, start, adam) for start in ("identity", 0.0, "paper") for adam in (False, True)]
        print(f"| `{name}` | " + " | ".join(f"{figure:.4f}" for figure in figures) + " |", flush=True)


if __name__ == "__main__":
    main()
