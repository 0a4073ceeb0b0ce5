"""`attn port` for the attention blocks alone: what it prints."""

from __future__ import annotations

from pathlib import Path

from rich.table import Column, Table

from attn_core import parity
from attn_core.cli.console import FAILED, counted, out, refuse, say, spelt, with_progress
from attn_core.porting import one_block, recorded, tf1
from attn_core.porting.folder import require_own


def port_blocks(checkpoint: Path, target: str, output: Path, io: Path | None, averages: bool) -> None:
    """Find the blocks of a network, check each in the target framework, and write them."""
    require_own(output, one_block.MANIFEST)
    findings = tf1.find_blocks(checkpoint, averages=averages)
    _tell(findings)
    recordings = recorded.read(io, [found.block.channels for found in findings]) if io and findings else None
    checks = one_block.check(findings, target, recordings)
    ported = list(with_progress(checks, len(findings), f"running in {target}"))
    _tell_errors(ported, target, io)
    _require_passed(ported)
    one_block.write(output, str(checkpoint), target, findings, ported)
    say(
        f"{counted(len(ported))} written to {output}, with {one_block.MANIFEST}; all errors within {one_block.BOUND:g}."
    )
    package = parity.RUNTIMES[target][0].removesuffix(".runtime")
    say(f"Load one: {package}.load({str(output / ported[0].file)!r})")


def _tell(findings: tf1.Findings) -> None:
    say(f"Read: {findings.source}: {counted(len(findings))} found.")
    for note in findings.notes:
        say(f"note: {note}")
    for sentence in findings.undecided:
        say(f"undecided, not ported: {sentence}", style="yellow")


def _tell_errors(ported: list[one_block.Ported], target: str, io: Path | None) -> None:
    """Print one line for each block and what its numbers mean."""
    table = Table(Column("block", overflow="fold"), Column("layers", overflow="fold"))
    for title in ("channels", "hidden", "reference", *(["recorded"] if io else [])):
        table.add_column(title, justify="right", no_wrap=True)
    for each in ported:
        sizes = (str(each.found.block.channels), str(each.found.block.hidden))
        errors = [_largest(errors, one_block.BOUND) for errors in (each.random, *([each.recorded] if io else []))]
        texts = (spelt(each.found.name), spelt(", ".join(each.layers)))
        table.add_row(*texts, *sizes, *errors, style=None if each.passed else "red")
    if ported:
        out.print(table)
        bound = one_block.BOUND
        say(f"reference: largest error in {target} against the float64 reference, on a random image.")
        if not io:
            say("So each block was compared with its own definition alone, and not with the network it comes from.")
        say(f"recorded: largest error in {target} against {io}." if io else "No recorded activations: see --io.")
        say(f"Errors are absolute, or relative to an array's largest value if above 1; bound {bound:g} (!: beyond).")
    for each in ported:
        for warning in each.warnings:
            say(f"note: {each.found.name}: {warning}")


def _largest(errors: dict[str, float], bound: float) -> str:
    largest = max(errors.values())
    return f"{largest:.1e}" if largest <= bound else f"{largest:.1e} !"


def _require_passed(ported: list[one_block.Ported]) -> None:
    failed = [each for each in ported if not each.passed]
    if not ported:
        refuse("no squeeze-and-excitation or CBAM block was found; nothing was written.", FAILED)
    if failed:
        names = ", ".join(each.found.name for each in failed)
        hint = " Were the activations recorded without moving averages? Try --no-averages."
        used = any(each.recorded and each.averaged for each in failed)
        sentence = f"{len(failed)} of {counted(len(ported))} beyond the bound, nothing was written: {names}."
        refuse(sentence + (hint if used else ""), FAILED)
