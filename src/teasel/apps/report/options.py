"""What can be set for a report, the limits of its flags included."""

from __future__ import annotations

from dataclasses import dataclass

from teasel.errors import ParameterError

__all__ = ["ReportOptions"]


@dataclass(frozen=True)
class ReportOptions:
    """What can be set for a report, and from where on an image is flagged.

    Parameters
    ----------
    title : str, optional
        Heading of the report; the name of the folder if not given.
    uncertain : int
        How many of the least certain objects are shown as crops.
    max_blur : float
        Out of focus above this: the width of the edges of objects over their diameter (a step blurred by a Gaussian
        of that standard deviation).
    max_saturated_percent : float
        Saturated above this: percent of the pixels of objects at the highest or lowest value the image holds, if
        they pile up there.
    min_objects : int
        Too few objects below this.
    min_share : float
        Too few objects also below this share of the median of all images, from 5 images on.
    max_odd_sizes_percent : float
        Sizes outside the training above this: percent of objects smaller or larger than those the model was trained
        on, at the scale it sees them.
    max_shading_percent : float
        Uneven illumination above this: how much background or brightness of objects changes smoothly across the
        field, in percent of the contrast between objects and background.

    Raises
    ------
    ParameterError
        If a limit is below 0.
    """

    title: str | None = None
    uncertain: int = 10
    max_blur: float = 0.145
    max_saturated_percent: float = 5.0
    min_objects: int = 5
    min_share: float = 0.2
    max_odd_sizes_percent: float = 20.0
    max_shading_percent: float = 35.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name != "title" and not value >= 0:
                raise ParameterError(f"{name} of the report is {value}; expected 0 or more")
