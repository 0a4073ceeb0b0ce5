"""Where and with what times were measured: without it they say nothing."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attn_core.parity.matrix import versions

MALLOC = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def processor() -> str:
    """Return what the processor calls itself, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def circumstances(name: str, device: str, runtime: str, threads: int, rounds: int) -> dict[str, Any]:
    """Return what the figures depend on; `name` is cpu or cuda, `device` what it calls itself."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "device_name": name,
        "device": device,
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "system": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        "runtime": runtime,
        "threads": threads,
        "rounds": rounds,
        "malloc": {name: os.environ[name] for name in MALLOC if name in os.environ},
        "versions": versions(),
    }
