"""Form: JUnit XML, which GitHub's actions, GitLab and Jenkins read. One test case for each cell."""

from __future__ import annotations

import io
from typing import Any

from attn_core.parity.report.extra import needed
from attn_core.parity.report.texts import confidence, difference, shapes, spelt, where, worst
from attn_core.parity.result import BROKEN, FAILED, LEFT_OUT, Cell, Report


def to_junit(report: Report) -> str:
    """Return the report as JUnit XML. **Raises** `ImportError` without junitparser."""
    xml: Any = needed("junitparser")
    suite = xml.TestSuite("attn parity")
    suite.timestamp = spelt(report.created)
    for name, value in _properties(report).items():
        suite.add_property(spelt(name), spelt(value))
    suite.add_testcases([_cell(xml, cell) for cell in report.cells])
    suite.add_testcases([_missing(xml, name, reason) for name, reason in report.missing.items()])
    whole = xml.JUnitXml("attn parity")
    whole.add_testsuite(suite)
    whole.update_statistics()
    file = io.BytesIO()
    whole.write(file)
    return file.getvalue().decode()


def _properties(report: Report) -> dict[str, str]:
    versions = {f"version.{name}": version for name, version in report.versions.items()}
    return {"seed": str(report.seed), "bounds": confidence(report), "machine": report.machine, **versions}


def _cell(xml: Any, cell: Cell) -> Any:
    name = f"{cell.text} {cell.mode} {shapes(cell)}"
    case = xml.TestCase(spelt(name), spelt(f"{cell.runtime}.{cell.dtype}"), round(cell.seconds, 3))
    kinds = {FAILED: xml.Failure, BROKEN: xml.Error, LEFT_OUT: xml.Skipped}
    if cell.status in kinds:
        result = kinds[cell.status](spelt(_message(cell)), "attn parity")
        if cell.status != LEFT_OUT:
            result.text = spelt(_text(cell))
        case.result = result
    return case


def _missing(xml: Any, runtime: str, reason: str) -> Any:
    case = xml.TestCase("runtime", spelt(runtime), 0.0)
    case.result = xml.Skipped(spelt(reason or "not installed"), "attn parity")
    return case


def _message(cell: Cell) -> str:
    """Return one line: readers of JUnit show it in lists."""
    tensor = worst(cell)
    if cell.status != FAILED or tensor is None:
        return " ".join(cell.message.split()) or cell.status
    return f"{difference(tensor)}; first at {cell.where}" if cell.where else difference(tensor)


def _text(cell: Cell) -> str:
    wrong = sorted((tensor for tensor in cell.tensors if not tensor.passed), key=lambda tensor: -tensor.share)
    said = [cell.message] if cell.message else []
    return "\n".join(
        [*said, *map(difference, wrong), *([where(cell)] if cell.where else []), "", f"Again: {cell.command}"]
    )
