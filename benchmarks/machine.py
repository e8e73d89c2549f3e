"""What the figures were measured on; no names of hosts, no paths."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

SHOWN = ("hubwise", "numpy", "numba", "scipy", "highspy", "power-grid-model")


def machine() -> str:
    """Cores, processor, load, Python and the versions that matter, in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    return (
        f"{_cores()} cores, {_processor()}, {platform.system()}, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, {versions}"
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8").splitlines() if described.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
