"""Many images, one after another: skip what is done, go on after a bad file, leave no half results."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from teasel.apps.cli.jobs import Job
from teasel.apps.cli.outputs import describe_result, write_results
from teasel.apps.cli.products import Product
from teasel.apps.cli.record import RunRecord
from teasel.errors import Cancelled, StorageError

if TYPE_CHECKING:
    from teasel.segment import Segmentation

__all__ = ["BatchResult", "Listener", "run_batch"]

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Listener(Protocol):
    """Who wants to hear how a batch goes on."""

    def started(self, n_images: int) -> None:
        """So many images will be done."""

    def begun(self, job: Job) -> None:
        """An image is being segmented."""

    def advanced(self, done: int, total: int) -> None:
        """A part of that image is done."""

    def done(self, job: Job, segmentation: Segmentation) -> None:
        """All results of that image are written."""

    def failed(self, job: Job, error: Exception) -> None:
        """That image could not be done."""


@dataclass
class BatchResult:
    """How a batch ended: the jobs that were done, were done before, and failed."""

    done: list[Job] = field(default_factory=list)
    skipped: list[Job] = field(default_factory=list)
    failed: list[tuple[Job, Exception]] = field(default_factory=list)


def run_batch(
    jobs: Sequence[Job],
    record: RunRecord,
    segment_one: Callable[[Job, Callable[[int, int], None]], Segmentation],
    listener: Listener,
    *,
    products: Sequence[Product] = (),
    overwrite: bool = False,
) -> BatchResult:
    """Segment images and write their results; what is done already is skipped.

    Parameters
    ----------
    jobs : sequence of Job
        The images.
    record : RunRecord
        The record of the output folder, `recall`-ed; it is kept up to date on disk.
    segment_one : callable
        Called with a job and a progress callable; gives its segmentation.
    listener : Listener
        Hears what happens.
    products : sequence of Product
        What is written for each image beside labels, table and picture.
    overwrite : bool
        Do every image again, and replace files of the same name whatever their origin.

    Returns
    -------
    BatchResult
        Which images were done, skipped, failed.

    Raises
    ------
    ParameterError
        Before anything is done, if results of other images stand under the same names.
    KeyboardInterrupt, Cancelled
        If the work was stopped; the record says so, and a further run goes on from there.
    StorageError
        If the disk is full; what was finished before stays.
    """
    record.suffixes = (*record.suffixes, *(suffix for product in products for suffix in product.suffixes))
    record.clear_partial(jobs)
    result = BatchResult()
    result.skipped = [job for job in jobs if not overwrite and record.is_done(job)]
    skipped = set(result.skipped)
    waiting = [job for job in jobs if job not in skipped]
    if not overwrite:
        for job in waiting:
            record.refuse_strangers(job)
    record.save()
    listener.started(len(waiting))
    try:
        for job in waiting:
            _do(job, record, segment_one, listener, products, result)
    except (KeyboardInterrupt, Cancelled):
        record.status = "interrupted"
        record.save()
        raise
    record.status = "complete"
    record.save()
    return result


def _do(
    job: Job,
    record: RunRecord,
    segment_one: Callable[[Job, Callable[[int, int], None]], Segmentation],
    listener: Listener,
    products: Sequence[Product],
    result: BatchResult,
) -> None:
    """Segment one image and write its results, or note why not."""
    listener.begun(job)
    try:
        segmentation = segment_one(job, listener.advanced)
        record.begin(job)
        write_results(segmentation, record.folder, job.name)
        for product in products:
            product.write(segmentation, record.folder, job.name)
        record.finish(job, describe_result(segmentation), segmentation.seconds)
    except Cancelled:
        raise
    except Exception as error:  # whatever is wrong with one image, the others are still done
        if isinstance(error, OSError) and error.errno in _FULL:
            raise StorageError(
                f"the disk of {record.folder} is full; make room and type it again, it goes on from here"
            ) from error
        record.fail(job, error)
        result.failed.append((job, error))
        listener.failed(job, error)
    else:
        result.done.append(job)
        listener.done(job, segmentation)
