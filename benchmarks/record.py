"""What every benchmark shares: options, where and with what it ran, the file and the table it leaves."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from teasel.images.atomic import atomic_path

CHECKOUT = Path(__file__).resolve().parents[1]
LIBRARIES = ("teasel", "numpy", "scipy", "scikit-image", "onnxruntime", "openvino")


def parser(description: str) -> argparse.ArgumentParser:
    """Return the options that all benchmarks take."""
    shared = CHECKOUT.parent / "shared"
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--data", type=Path, default=shared / "data", help="folder that holds the image sets")
    options.add_argument("--sets", nargs="+", metavar="SET", help="image sets; default: all that apply")
    options.add_argument("--threads", type=int, default=2, help="CPU threads (default 2)")
    options.add_argument("--results", type=Path, default=CHECKOUT / "benchmarks" / "results", help="where JSON goes")
    options.add_argument("--methods", nargs="+", metavar="MODEL[:BACKEND[:PRECISION]]", help="what is run")
    return options


def peer_options(options: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the options that say where StarDist is."""
    shared = CHECKOUT.parent / "shared"
    options.add_argument(
        "--stardist-python", type=Path, help="interpreter that has stardist; without it StarDist is left out"
    )
    options.add_argument(
        "--stardist-model",
        type=Path,
        default=shared / "peers" / "stardist_retrained",
        help="StarDist model folder",
    )
    return options


def save(folder: Path, name: str, arguments: argparse.Namespace, result: Mapping[str, Any]) -> Path:
    """Write ``<name>.json``: where it ran, with what, and the result."""
    content = {
        "benchmark": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
        "threads": arguments.threads,
        **result,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(_plain(content), indent=1, allow_nan=False) + "\n", "utf-8")
    return path


def machine() -> dict[str, Any]:
    """Describe the processor; never the host."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    facts: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    flags = {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"} & set(facts.get("flags", "").split())
    return {
        "cpu": facts.get("model name", platform.processor()),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "flags": sorted(flags),
        "system": f"{platform.system()} {platform.machine()}",
    }


def commit() -> str:
    """Return the commit of the checkout, with ``+changes`` if source files differ from it."""
    head = _git("rev-parse", "HEAD")
    return head + ("+changes" if _git("status", "--porcelain", "--untracked-files=no", "src") else "")


def versions() -> dict[str, str]:
    """Return the versions that decide on results."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "not installed"
    return found


def table(rows: Sequence[Sequence[Any]], header: Sequence[str]) -> str:
    """Lay rows out in columns; numbers with three decimals."""
    cells = [list(header)] + [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[k]) for row in cells) for k in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"{value[0]:.3f} [{value[1]:.3f}, {value[2]:.3f}]"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.strip()


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it; numbers with five digits, null for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy
        return _plain(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)
