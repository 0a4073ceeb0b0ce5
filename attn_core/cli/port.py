"""The command `attn port`."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from attn_core import parity
from attn_core.cli.console import one_sentence

Target = StrEnum("Target", list(parity.RUNTIMES))  # type: ignore[misc]  # made of a table, as it should be


def port(
    checkpoint: Annotated[
        Path, typer.Argument(help="checkpoint prefix, .meta, V1 file, SavedModel, frozen graph, or Keras' .h5, .keras")
    ],
    to: Annotated[Target, typer.Option(help="framework to write the network for")],
    output: Annotated[Path, typer.Option("--out", help="folder for the result; an earlier result is replaced")],
    io: Annotated[
        Path | None,
        typer.Option(help="recorded arrays, .npz: input and output, se<i>_in, se<i>_gate, se<i>_out"),
    ] = None,
    averages: Annotated[bool, typer.Option(help="take moving averages of the weights where there are any")] = True,
    blocks: Annotated[bool, typer.Option("--blocks", help="port the attention blocks alone")] = False,
    image: Annotated[str | None, typer.Option("--input", help="the image's node, where it does not show")] = None,
    result: Annotated[str | None, typer.Option("--output", help="the result's node, if another is wanted")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="a placeholder's value, as keep_prob=1 or is_training=False")
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="height,width of the images it is run on; length; depth,height,width")
    ] = None,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="write operations without a counterpart as gaps to fill")
    ] = False,
    tensorflow: Annotated[bool, typer.Option(help="run the original in TensorFlow, too, where it is installed")] = True,
) -> None:
    """Port a TensorFlow 1 network to the source of another framework, and prove it.

    With a graph (a .meta beside the checkpoint, a frozen .pb, a SavedModel, a
    whole model that Keras saved) the whole network is written: model.py,
    weights.safetensors, port.json. Without one, or with --blocks, its
    squeeze-and-excitation blocks are.

    Exit code 0: every check passed and the result is written.
    1: a check failed or no block was found; nothing is written.
    2: something cannot be read, ported or written; nothing is written.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets on stderr
    with one_sentence():
        from attn_core.porting import whole_network

        if blocks or not whole_network.has_graph(checkpoint):
            from attn_core.cli.port_blocks import port_blocks

            port_blocks(checkpoint, to.value, output, io, averages)
            return
        from attn_core.cli.port_network import port_whole

        options = whole_network.options(image, result, setting or [], size)
        port_whole(checkpoint, to.value, output, io, averages, options, allow_unknown, tensorflow)
