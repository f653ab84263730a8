"""Every error that qdcomp raises on purpose.

::

    QdcompError
    ├── InputError (ValueError)     what the user gave cannot be used
    ├── ParseError (path, line)     a file cannot be read as what it claims to be
    ├── EngineError (directory)     a code failed
    │   ├── ConvergenceError        it ran, and did not converge
    │   └── WalltimeReached         its batch job ends; it goes on in the next one
    ├── BatchError                  a batch system refused a job, or does not answer
    └── StoreError                  a launchpad or trajectory file cannot be used

A message says what was got, what was expected and what to do. Only ``qdcomp.cli`` prints it.
"""

from __future__ import annotations

from pathlib import Path


class QdcompError(Exception):
    """Base class of every error that qdcomp raises on purpose."""


class InputError(QdcompError, ValueError):
    """What the user gave cannot be used."""


class ParseError(QdcompError):
    """A file cannot be read as what it claims to be.

    Parameters
    ----------
    message
        What was found, what was expected, what to do.
    path
        The file.
    line
        One-based line number, where known.
    """

    def __init__(self, message: str, path: Path | str, line: int | None = None) -> None:
        self.path = Path(path)
        self.line = line
        place = f"{self.path}" if line is None else f"{self.path}, line {line}"
        super().__init__(f"{place}: {message}")


class EngineError(QdcompError):
    """A code failed.

    Parameters
    ----------
    message
        What happened and what to do.
    directory
        The job directory, whose files tell more.
    """

    def __init__(self, message: str, directory: Path | str) -> None:
        self.directory = Path(directory)
        super().__init__(f"{message} (job directory: {self.directory})")


class ConvergenceError(EngineError):
    """A code ran, and what it was asked to converge did not converge."""


class WalltimeReached(EngineError):
    """A code was ended because its batch job ends; what it did is kept, and it can go on."""


class BatchError(QdcompError):
    """A batch system refused a job, or does not answer; its own words are in the message."""


class StoreError(QdcompError):
    """A launchpad or trajectory file cannot be opened, read or written."""
