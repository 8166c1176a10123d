"""Everything that can go wrong, as one tree.

::

    TeaselError
    ├── AxesError (ValueError)            axes are ambiguous or do not fit the array
    ├── ShapeError (ValueError)           an array has the wrong shape or number of dimensions
    ├── DataError (ValueError)            an array holds values that cannot be used (complex, all NaN, empty)
    ├── ParameterError (ValueError)       a parameter is unknown or out of range
    ├── FormatError (ValueError)          a file is corrupt, truncated or of no known format
    ├── InputNotFound (FileNotFoundError) a path does not exist
    ├── StorageError (OSError)            a file cannot be written: the disk is full, the folder not writable
    ├── ModelNotFound (LookupError)       no model of that name
    ├── ModelError (ValueError)           a model folder is broken or cannot be used here
    ├── MissingDependency (ImportError)   an optional package is needed; the message says how to get it
    └── Cancelled (RuntimeError)          the caller asked to stop

Each leaf is also the builtin a caller expects. The message says what came, what was expected and what to do.
"""

__all__ = [
    "AxesError",
    "Cancelled",
    "DataError",
    "FormatError",
    "InputNotFound",
    "MissingDependency",
    "ModelError",
    "ModelNotFound",
    "ParameterError",
    "ShapeError",
    "StorageError",
    "TeaselError",
]


class TeaselError(Exception):
    """Root of every error that Teasel raises on purpose."""


class AxesError(TeaselError, ValueError):
    """Axes are ambiguous, unknown, or do not fit the array."""


class ShapeError(TeaselError, ValueError):
    """An array has the wrong shape or number of dimensions."""


class DataError(TeaselError, ValueError):
    """An array holds values that cannot be used."""


class ParameterError(TeaselError, ValueError):
    """A parameter is unknown or out of its range."""


class FormatError(TeaselError, ValueError):
    """A file is corrupt, truncated, or of no known format."""


class InputNotFound(TeaselError, FileNotFoundError):
    """A path does not exist."""


class StorageError(TeaselError, OSError):
    """A file cannot be written: the disk is full, or its folder may not be written to."""


class ModelNotFound(TeaselError, LookupError):
    """There is no model of that name."""


class ModelError(TeaselError, ValueError):
    """A model folder is broken or cannot be used here."""


class MissingDependency(TeaselError, ImportError):
    """An optional package is needed and not installed."""


class Cancelled(TeaselError, RuntimeError):
    """The caller asked for the work to stop."""
