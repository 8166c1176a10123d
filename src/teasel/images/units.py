"""Lengths in the words of many programs, as micrometres."""

from __future__ import annotations

__all__ = ["in_micrometres", "plausible"]

_UM = {
    **dict.fromkeys(("m", "metre", "meter", "metres", "meters"), 1e6),
    **dict.fromkeys(("cm", "centimetre", "centimeter"), 1e4),
    **dict.fromkeys(("mm", "millimetre", "millimeter"), 1e3),
    **dict.fromkeys(("um", "µm", "μm", "\\u00b5m", "micron", "microns", "micrometre", "micrometer"), 1.0),
    **dict.fromkeys(("micrometres", "micrometers"), 1.0),
    **dict.fromkeys(("nm", "nanometre", "nanometer", "nanometers", "nanometres"), 1e-3),
    **dict.fromkeys(("pm", "picometre", "picometer"), 1e-6),
    **dict.fromkeys(("a", "å", "ångstrom", "angstrom", "ångström"), 1e-4),
    **dict.fromkeys(("in", "inch", "inches"), 25400.0),
}


def in_micrometres(length: float | None, unit: str | None) -> float | None:
    """Convert a length; None if the unit is no length (``"pixel"``), the length not above 0, or one missing.

    Parameters
    ----------
    length : float or None
        A length in `unit`.
    unit : str or None
        Name or symbol, in any case.

    Examples
    --------
    >>> in_micrometres(250, "nm"), in_micrometres(1, "pixel")
    (0.25, None)
    """
    factor = _UM.get(unit.strip().strip("\0").lower()) if isinstance(unit, str) else None
    if factor is None or length is None or not 0 < float(length) < float("inf"):
        return None
    return float(f"{float(length) * factor:.9g}")


def plausible(size_um: float | None) -> bool:
    """Say whether a pixel of this size can come from a microscope rather than from a printer's setting.

    Resolutions meant for print (72 to 2400 dots per inch) are pixels of 353 to 10.6 micrometres.

    Examples
    --------
    >>> plausible(0.325), plausible(25400 / 300)
    (True, False)
    """
    return size_um is not None and 0.001 <= size_um <= 10.0
