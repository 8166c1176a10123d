"""How much memory an assignment takes, told before it starts."""

from __future__ import annotations

from teasel.errors import DataError

__all__ = ["check_memory", "needed_gb"]

_FIXED = 1.0  # the program itself, a tile of labels, the chunk at work


def needed_gb(n_spots: int, n_candidates: int) -> float:
    """Return about how many gigabytes (1e9 bytes) assigning takes, the spots themselves included.

    Parameters
    ----------
    n_spots, n_candidates : int
        Spots, and cells that compete for each; 0 candidates where spots are only looked up in labels.

    Examples
    --------
    >>> round(needed_gb(50_000_000, 3), 1)
    6.6
    """
    position, gene, cell, pixel, order = 16, 4, 4, 24, 16
    lookup = position + gene + cell
    search = (8 * n_candidates + pixel + order + 8) if n_candidates else 0
    return _FIXED + n_spots * (lookup + search + (16 if n_candidates else 8)) / 1e9


def check_memory(n_spots: int, n_candidates: int, max_memory_gb: float) -> None:
    """Refuse what would not fit.

    Raises
    ------
    DataError
        With what is needed, and what to do.
    """
    needed = needed_gb(n_spots, n_candidates)
    if needed > max_memory_gb:
        raise DataError(
            f"assigning {n_spots:,} spots with {n_candidates} candidates each needs about {needed:.1f} GB, "
            f"{max_memory_gb:g} GB are allowed; raise max_memory_gb if the machine has it, take fewer candidates, "
            "or assign part of the area at a time"
        )
