"""The forms of a report: JSON for programs, JUnit XML for CI, one HTML page for people.

Each is made from `Report` alone. JUnit and HTML need the extra `parity`, imported only when asked for.
docs/parity_report.md describes all three.
"""

from attn_core.parity.report.as_html import to_html
from attn_core.parity.report.as_json import FORMAT, from_json, to_json
from attn_core.parity.report.as_junit import to_junit
from attn_core.parity.report.files import prepare, write

__all__ = ["FORMAT", "from_json", "prepare", "to_html", "to_json", "to_junit", "write"]
