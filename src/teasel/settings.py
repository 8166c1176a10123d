"""One table of settings that come from the environment: name, default, help.

The only place in the package that reads ``os.environ``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from teasel.errors import ParameterError

__all__ = ["SETTINGS", "Setting", "get"]


@dataclass(frozen=True)
class Setting:
    """One setting: an environment variable, its default, and what it does."""

    variable: str
    default: str
    help: str


SETTINGS = {
    "threads": Setting("TEASEL_THREADS", "", "CPU threads for networks; empty means all cores of the machine"),
    "model_path": Setting("TEASEL_MODEL_PATH", "", "extra folders of models, separated like PATH"),
}


def get(name: str) -> str:
    """Return the value of a setting: the environment's, or the default.

    Parameters
    ----------
    name : str
        A key of `SETTINGS`.

    Raises
    ------
    ParameterError
        If there is no such setting.

    Examples
    --------
    >>> get("model_path")
    ''
    """
    if name not in SETTINGS:
        raise ParameterError(f"no setting {name!r}; there are: {', '.join(sorted(SETTINGS))}")
    setting = SETTINGS[name]
    return os.environ.get(setting.variable, setting.default)
