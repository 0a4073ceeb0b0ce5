"""Train HybridSN with and without attention on a hyperspectral scene, in PyTorch, Keras or Flax NNX.

python docs/examples/hyperspectral.py --framework torch
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple, NoReturn

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

import attn_core as core

try:
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from scene import Array, Scene, components, read, split, synthetic, windows
    from sklearn.metrics import confusion_matrix
except ModuleNotFoundError as missing:
    print(f"{missing.name} is not installed: pip install 'attn-blocks[examples]'", file=sys.stderr)
    sys.exit(2)

RATE = 1e-3
BATCH, PIXELS = 32, 256  # patches at once, in training and in prediction
COLUMNS = ("parameters", "overall accuracy", "average accuracy", "kappa", "seconds")
NETWORKS = {"without attention": None, "with attention": "se"}
INSTALL = {"torch": "torch", "keras": "tf", "nnx": "jax"}  # the extra of attn-blocks for each framework

Framework = StrEnum("Framework", list(INSTALL))
PROGRESS = (
    *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("epochs"), TimeElapsedColumn()),
    TextColumn("{task.fields[state]}"),
)
out, err = Console(highlight=False), Console(highlight=False, stderr=True)


class Learner(NamedTuple):
    """What training needs of a framework; patches are (batch, bands, size, size), labels count from 0."""

    learn: Callable[[Array, Array], float]  # makes one step and returns the loss
    classify: Callable[[Array], Array]  # returns labels


def in_torch(block: core.HybridSN, seed: int) -> Learner:
    """Make a learner in PyTorch."""
    import torch

    import attn_torch

    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = attn_torch.hybrid_sn_attention(block.bands, block.size, block.classes, attention=block.attention)
    optimizer = torch.optim.Adam(network.to(device).parameters(), RATE)

    def logits(patches: Array) -> torch.Tensor:
        return network(torch.from_numpy(patches[:, None]).to(device))

    def learn(patches: Array, labels: Array) -> float:
        network.train()
        loss = torch.nn.functional.cross_entropy(logits(patches), torch.from_numpy(labels).to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    @torch.no_grad()
    def classify(patches: Array) -> Array:
        network.eval()
        return logits(patches).argmax(1).cpu().numpy()

    return Learner(learn, classify)


def in_keras(block: core.HybridSN, seed: int) -> Learner:
    """Make a learner in Keras."""
    import keras

    import attn_tf

    keras.utils.set_random_seed(seed)
    network = attn_tf.hybrid_sn_attention(block.bands, block.size, block.classes, attention=block.attention)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(RATE), loss)

    def learn(patches: Array, labels: Array) -> float:
        network.reset_metrics()  # or the loss is a mean over all steps so far
        return float(network.train_on_batch(patches[..., None], labels))

    def classify(patches: Array) -> Array:
        return network.predict_on_batch(patches[..., None]).argmax(1)

    return Learner(learn, classify)


def in_nnx(block: core.HybridSN, seed: int) -> Learner:
    """Make a learner in Flax NNX."""
    import jax
    import optax
    from flax import nnx

    from attn_jax import nnx as layers

    options = {"attention": block.attention, "rngs": nnx.Rngs(seed)}
    network = layers.hybrid_sn_attention(block.bands, block.size, block.classes, **options)
    optimizer = nnx.Optimizer(network, optax.adam(RATE), wrt=nnx.Param)

    @nnx.jit
    def step(network: nnx.Module, optimizer: nnx.Optimizer, patches: jax.Array, labels: jax.Array) -> jax.Array:
        def loss(network: nnx.Module) -> jax.Array:
            return optax.softmax_cross_entropy_with_integer_labels(network(patches), labels).mean()

        value, gradients = nnx.value_and_grad(loss)(network)
        optimizer.update(network, gradients)
        return value

    @nnx.jit
    def logits(network: nnx.Module, patches: jax.Array) -> jax.Array:
        return network(patches)

    def learn(patches: Array, labels: Array) -> float:
        network.train()
        return float(step(network, optimizer, patches[..., None], labels))

    def classify(patches: Array) -> Array:
        network.eval()
        return np.asarray(logits(network, patches[..., None]).argmax(1))

    return Learner(learn, classify)


LEARNERS = {"torch": in_torch, "keras": in_keras, "nnx": in_nnx}


class Data(NamedTuple):
    """Patches and labels by pixel, and the pixels to train and test with, (pixels, 2) each."""

    patches: Array  # (rows, columns, bands, size, size), a view
    labels: Array  # (rows, columns), from 0, -1 for unlabelled
    train: Array
    test: Array

    def at(self, pixels: Array) -> Array:
        """Return the patches around some pixels, in one piece of memory."""
        return np.ascontiguousarray(self.patches[tuple(pixels.T)])


def train(learner: Learner, data: Data, epochs: int, seed: int) -> Iterator[float]:
    """Train on whole batches, shuffled anew in each epoch; yield the mean loss of each epoch."""
    rng = np.random.default_rng(seed)
    batch = min(BATCH, len(data.train))
    for _ in range(epochs):
        pixels = rng.permutation(data.train)
        losses = []
        for start in range(0, len(pixels) - batch + 1, batch):
            here = pixels[start : start + batch]
            losses.append(learner.learn(data.at(here), data.labels[tuple(here.T)]))
        yield float(np.mean(losses))


def predict(learner: Learner, data: Data) -> Array:
    """Return the map of labels, -1 where the truth is unlabelled."""
    found = np.full_like(data.labels, -1)
    pixels = np.argwhere(data.labels >= 0)
    for start in range(0, len(pixels), PIXELS):
        here = pixels[start : start + PIXELS]
        found[tuple(here.T)] = learner.classify(data.at(here))
    return found


class Measures(NamedTuple):
    """How well a network classifies."""

    overall: float
    average: float
    kappa: float


def measure(confusion: Array) -> Measures:
    """Compute overall accuracy, the mean of the classes' accuracies, and Cohen's kappa; rows are the truth."""
    total, truth, found = confusion.sum(), confusion.sum(1), confusion.sum(0)
    overall = confusion.trace() / total
    chance = truth @ found / total**2
    return Measures(overall, (confusion.diagonal() / truth).mean(), (overall - chance) / (1 - chance))


def draw(file: Path, classes: Array, panels: dict[str, Array]) -> None:
    """Draw maps of labels beside one another, unlabelled pixels in black."""
    n = len(classes)
    name = "tab10" if n <= 10 else "tab20" if n <= 20 else "turbo"
    colours = matplotlib.colormaps[name](np.arange(n) if n <= 20 else np.linspace(0, 1, n))
    colours = np.vstack([colours, (0, 0, 0, 1)])  # label -1 is the last
    rows, columns = next(iter(panels.values())).shape
    figure = Figure((11, 1.2 + 3.5 * min(rows / columns, 3)), layout="constrained")
    for axes, (title, labels) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        axes.imshow(colours[labels], interpolation="nearest")
        axes.set_title(title)
        axes.set_axis_off()
    entries = [Patch(facecolor=colour, label=f"class {each}") for colour, each in zip(colours, classes, strict=False)]
    entries.append(Patch(facecolor="black", label="unlabelled"))
    figure.legend(handles=entries, loc="outside lower center", ncols=min(len(entries), 9), frameon=False)
    figure.savefig(file, format="png", dpi=100)


def run(framework: str, scene: Scene, bands: int, size: int, epochs: int, share: float, seed: int, file: Path) -> None:
    """Train both networks on a scene; print how well they do and draw their maps."""
    reduced, variance = components(scene.cube, bands, seed)
    classes = np.unique(scene.truth[scene.truth > 0])
    labels = np.where(scene.truth > 0, np.searchsorted(classes, scene.truth), -1)
    data = Data(windows(reduced, size), labels, *split(scene.truth, share, seed))
    blocks = [core.hybrid_sn_attention(bands, size, len(classes), attention=each) for each in NETWORKS.values()]
    rows, columns, given = scene.cube.shape
    out.print(f"{rows} x {columns} pixels of {len(classes)} classes: {len(data.train):,} to train with, ", end="")
    out.print(f"{len(data.test):,} to test with.")
    out.print(f"{given} bands, reduced to {bands} principal components with {100 * variance:.0f} % of the variance.")

    learners = [LEARNERS[framework](block, seed) for block in blocks]
    table = Table(Column("network", no_wrap=True), *(Column(name, justify="right") for name in COLUMNS))
    panels = {"ground truth": labels}
    with Progress(*PROGRESS, console=err) as progress:
        for name, block, learner in zip(NETWORKS, blocks, learners, strict=True):
            task = progress.add_task(name, total=epochs, state="")
            for loss in train(learner, data, epochs, seed):
                progress.update(task, advance=1, state=f"loss {loss:.3f}")
            progress.update(task, state="classifies all pixels")
            found = predict(learner, data)
            test = tuple(data.test.T)
            accuracy = measure(confusion_matrix(labels[test], found[test]))
            panels[f"{name}: {100 * accuracy.overall:.1f} %"] = found
            progress.update(task, state="")
            seconds = progress.tasks[task].finished_time
            shares = (f"{100 * accuracy.overall:.1f} %", f"{100 * accuracy.average:.1f} %", f"{accuracy.kappa:.3f}")
            table.add_row(name, f"{block.parameters():,}", *shares, f"{seconds:.0f}")
    out.print(table)
    draw(file, classes, panels)
    out.print(f"Written: {file}")


def main(
    framework: Annotated[Framework, typer.Option(help="framework to train in")],
    cube: Annotated[Path | None, typer.Option(help=".mat file of a scene, such as Indian_pines_corrected.mat")] = None,
    truth: Annotated[Path | None, typer.Option(help=".mat file of its ground truth")] = None,
    bands: Annotated[int, typer.Option(min=1, help="principal components, at least 13")] = 15,
    size: Annotated[int, typer.Option(min=1, help="pixels along the edge of a patch, odd, at least 9")] = 11,
    epochs: Annotated[int, typer.Option(min=1, help="epochs of training")] = 20,
    train_share: Annotated[float, typer.Option(min=0, max=1, help="share of labelled pixels to train with")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="seed of everything random")] = 0,
    output: Annotated[Path, typer.Option("--out", help="picture to write, a PNG")] = Path("map.png"),
) -> None:
    """Train HybridSN with and without attention on a hyperspectral scene, a made-up one if no files are given."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets on stderr
    try:
        if (cube is None) != (truth is None):
            raise ValueError("--cube and --truth go together.")
        if output.is_dir() or not output.parent.is_dir():
            raise ValueError(f"{output} cannot be written: give a file in a folder that is there.")
        scene = read(cube, truth) if cube and truth else synthetic(seed)
        run(framework.value, scene, bands, size, epochs, train_share, seed, output)
    except ModuleNotFoundError as error:
        refuse(f"{error.name} is not installed: pip install 'attn-blocks[{INSTALL[framework]}]'")
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}." if error.filename else str(error))
    except ValueError as error:
        refuse(str(error))


def refuse(sentence: str) -> NoReturn:
    """End with one sentence and exit code 2."""
    err.print(sentence, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    typer.run(main)
