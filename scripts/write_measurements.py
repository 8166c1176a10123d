"""Write the table of all features into docs/measurements.md, read off the code.

python scripts/write_measurements.py
"""

from __future__ import annotations

from pathlib import Path

from teasel.measurement import Feature, describe
from teasel.measurement.features import names

PAGE = Path(__file__).resolve().parents[1] / "docs/measurements.md"
BEGIN, END = "<!-- features: begin -->\n", "<!-- features: end -->\n"


def rows(features: list[Feature]) -> list[str]:
    """One line per feature of a family; those that differ in a number alone share one."""
    import re

    lines: dict[str, str] = {}
    for feature in features:
        name = re.sub(r"(?<=_)(\d+|Adjacent)(?=_|$)|\d+(?=of4)", "*", feature.name)
        text = re.sub(
            r"(?<= )[+-]?\d+(?= (along|and order|are|voxels))|order \d+|radius \d+", _blank, feature.definition
        )
        text = re.sub(r" Pairs of voxels .*\.$", "", text)
        lines.setdefault(name, f"| `{name}` | {feature.unit.replace('um', 'µm')} | {text} |")
    return list(lines.values())


def _blank(match) -> str:
    return f"{match[0].split()[0]} n" if " " in match[0] else "n"


def table() -> str:
    """Return the tables of all families, for planes, volumes, and cells with nuclei."""
    parts = []
    for family in names():
        found: dict[str, Feature] = {}
        for ndim in (2, 3):
            nuclei = family == "nuclei"
            for feature in describe([family], channels=("A", "B"), ndim=ndim, nuclei=nuclei):
                if feature.compartment in ("object", "cell") and feature.channel in ("", "A", "A_B"):
                    found.setdefault(feature.name, feature)
        lines = rows(list(found.values()))
        parts.append(f"### `{family}`\n\n| feature | unit | what it is |\n| --- | --- | --- |\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def page() -> str:
    """Return the page with its table up to date."""
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
