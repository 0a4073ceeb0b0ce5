"""A page with what was measured: a section for each framework and device, which the next run there replaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attn_core.parity.bench.contest import COPY, OURS
from attn_core.parity.bench.plot import Curve, log_log

COLUMNS = ("block", "image", "type", "pass", "layer", "µs", "ours / it", "quartiles", "copies", "kept", "peak")
START = """# What layers cost

Each section was written by the command in it, and says where and when. *Ours / it* is the median over the rounds of
our time divided by the other layer's, both run in the same way; half of the rounds lie between the quartiles.
*Copies* is a layer's time in copies of the image. *Kept* is what the forward pass keeps for the backward pass, weights
not counted, and *peak* the most that a run takes beside image, weights and the output's gradient, both in images.
*Forward* is run as in inference, *forward + backward* as in training, with the gradients of image and weights.

*Plain* is what a person writes by hand from the paper's equations, in the same framework and with the same weights
(`attn_torch/bench/plain.py`, `attn_jax/bench/plain.py`, `attn_tf/bench/plain.py`). Other peers are named:
`--against timm,torchvision`, or `--against "their.layers:TheirCBAM({channels}, 16)"` for a class that can be imported
from the current folder. JAX and Keras compile what they time (`jit`, a graph); PyTorch does with `--compile`, beside
what it runs eagerly.

With one thread, times are seconds of the processor, which other programs do not lengthen, though they take its caches;
with more threads, they are those on the clock. With glibc's defaults, large arrays go back to the system after each
run, and the next one waits for fresh pages, ours and theirs alike. `MALLOC_MMAP_THRESHOLD_=1073741824
MALLOC_TRIM_THRESHOLD_=1073741824` before the command keeps them; a section says where they were set.

## On a GPU

```sh
attn bench SE "CBAM(norm=True)" ShuffleAttention GlobalContext --device cuda --dtype float32,bfloat16 \\
    --backward --compile --shape 8,256,56,56 --rounds 11 --json > gpu.json
```

needs PyTorch, NumPy and what this project itself needs, and no other package of layers. Times are those between two
CUDA events, the mean of the runs of a round; before each run, four times as much is written as the L2 cache holds, so
that an image is read from memory as in a network. Copies are of the image on the same device: a layer that reads and
writes it once takes 1. Products of float32 are not rounded to TF32. Our output is compared on the device with the
definition in float64, each number within the bound that its block, weights and type give it
([numerics.md](numerics.md)); where one is beyond, the exit code is 1. With `--page` in place of `--json`, a section of
this page is written.
"""


def write(path: Path, report: dict[str, Any], command: str) -> None:
    """Put the section of a report into a page, new or in place of the one that is there, with its picture beside it."""
    about = report["circumstances"]
    title = f"{about['runtime']} on {about['device_name']}"
    drawn = _picture(report)
    picture = path.with_name(f"{path.stem}_{re.sub('[^a-z0-9]+', '_', title)}.svg")
    if drawn:
        picture.write_text(drawn)
    page = path.read_text() if path.exists() else START
    section = "\n".join(_section(title, report, command, picture.name if drawn else None))
    path.write_text(replaced(page, title, section))


def replaced(page: str, title: str, section: str) -> str:
    """Return a page with a section in place of the one of this title, or at its end."""
    pieces = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    at = [i for i, piece in enumerate(pieces) if piece.partition("\n")[0] == f"## {title}"]
    if at:
        pieces[at[0]] = section + "\n\n"
    else:
        pieces += ["\n", section + "\n"]
    return "".join(pieces).rstrip("\n") + "\n"


def _section(title: str, report: dict[str, Any], command: str, picture: str | None) -> Iterator[str]:
    about = report["circumstances"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    malloc = "".join(f", {name}={value}" for name, value in about["malloc"].items())
    threads = f"{about['threads']} thread{'s' * (about['threads'] != 1)}"
    yield f"## {title}\n"
    yield f"```sh\n{command}\n```\n"
    yield f"{about['date']}, {about['device']}; {about['processor']}; {threads}, {about['rounds']} rounds;"
    yield f"{about['system']}{malloc}; {versions}.\n"
    if picture:
        yield f"![time against the size of the image]({picture})\n"
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"| {' | '.join(['---'] * 5 + ['---:'] * 6)} |"
    for contest in report["contests"]:
        yield from (f"| {' | '.join(row)} |" for row in _rows(contest))
    notes = dict.fromkeys(note for contest in report["contests"] for note in contest["notes"])
    checks = dict.fromkeys(sentence for contest in report["contests"] if (sentence := _check(contest)))
    yield from (f"\n{sentence}" for sentence in (*notes, *checks))


def _rows(contest: dict[str, Any]) -> Iterator[list[str]]:
    """Yield a row for each layer; the second and later ones do not repeat what they are about."""
    image = "x".join(map(str, contest["shapes"][0]))
    about = [f"`{contest['block']}`", image, contest["dtype"], contest["pass"]]
    usual = contest["timed"][0]["way"]
    for timed in contest["timed"]:
        compiled = "" if timed["way"] == usual or timed["name"] == COPY else f", {timed['way']}"
        ratio = _ratio(contest, timed)
        memory = [_images(timed["memory"][name], contest["image_bytes"]) for name in ("kept", "peak")]
        times = [f"{1e6 * timed['seconds']['median']:,.0f}", *ratio, f"{timed['copies']['median']:.1f}"]
        yield [*about, timed["name"] + compiled, *times, *memory]
        about = [""] * 4


def _ratio(contest: dict[str, Any], timed: dict[str, Any]) -> list[str]:
    key = (timed["name"], timed["way"], timed["way"])
    found = [each["ratio"] for each in contest["ratios"] if (each["name"], each["way"], each["ours"]) == key]
    return [f"{found[0]['median']:.2f}", f"{found[0]['low']:.2f} to {found[0]['high']:.2f}"] if found else ["", ""]


def _images(number: int | None, image: int) -> str:
    return "" if number is None else f"{number / image:.2f}"


def _check(contest: dict[str, Any]) -> str:
    check = contest["check"]
    if check is None:
        return ""
    size = "x".join(map(str, check["shapes"][0]))
    verdict = f"within {check['share']:.2f} of its bounds" if check["passed"] else "beyond what rounding explains"
    return f"Checked: our output of `{contest['block']}` in {contest['dtype']} is {verdict} on {size}."


def _picture(report: dict[str, Any]) -> str:
    """Draw our times and the copy's against the image's size, for the last pass and the first type of the run."""
    last = report["contests"][-1]["pass"]
    first = report["contests"][0]["dtype"]
    curves: dict[str, Curve] = {}
    for contest in report["contests"]:
        if (contest["pass"], contest["dtype"]) != (last, first):
            continue
        for timed in contest["timed"]:
            is_usual = timed["way"] == contest["timed"][0]["way"]
            if timed["name"] == COPY or (timed["name"] == OURS and is_usual):
                name = contest["block"].partition("(")[0] if timed["name"] == OURS else COPY
                curves.setdefault(name, {})[contest["image_bytes"]] = timed["seconds"]["median"]
    if max((len(curve) for curve in curves.values()), default=0) < 2:
        return ""
    return log_log(curves, f"{last}, {first}", "bytes of the image", "seconds")
