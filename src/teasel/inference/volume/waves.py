"""Running tasks: in this process, or in waves on a Dask cluster, so that the scheduler never holds many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from typing import Any, Protocol

from teasel.errors import DataError, MissingDependency, ParameterError

__all__ = ["Runner", "Serial", "Waves", "open_runner"]

Task = Callable[[Any, str], None]
Advance = Callable[[int], None]

FORGET = 1000
"""Tasks after which what Dask remembers of their names is cleared; by itself it keeps 100,000, 0.6 kB each."""

PER_WORKER = 3
"""Tasks in flight per worker: one running, the next ones waiting."""


class Runner(Protocol):
    """What carries out the tasks of a stage."""

    memory: int
    n_workers: int

    def run(self, task: Task, job: Any, keys: Iterable[str], advance: Advance, *, batch: int = 1) -> None:
        """Carry out a task for every key, in any order; call ``advance(n)`` when n more are done."""


class Serial:
    """One task after the other, in this process.

    Parameters
    ----------
    memory : int
        Bytes that a task may use.
    """

    def __init__(self, memory: int = 2 << 30) -> None:
        self.memory, self.n_workers = memory, 1

    def run(self, task: Task, job: Any, keys: Iterable[str], advance: Advance, *, batch: int = 1) -> None:
        """See `Runner`."""
        for key in keys:
            task(job, key)
            advance(1)


class Waves:
    """Tasks on a Dask cluster, a few per worker at a time.

    Parameters
    ----------
    client : distributed.Client
        Connected to a scheduler whose workers have Teasel, and see the work folder under the same path.

    Notes
    -----
    A task sends nothing back and results lie in files, so that the scheduler holds a few small tasks whatever the size
    of the volume. A task whose worker is killed is given to another.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        if not workers:
            raise DataError("the scheduler has no workers; start some first (dask worker ADDRESS)")
        self.n_workers = sum(w["nthreads"] for w in workers)
        limits = [w["memory_limit"] // w["nthreads"] for w in workers if w["memory_limit"]]
        self.memory = min(limits) if limits else 2 << 30

    def run(self, task: Task, job: Any, keys: Iterable[str], advance: Advance, *, batch: int = 1) -> None:
        """See `Runner`."""
        from dask.utils import key_split
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        waiting, sent = iter(keys), count(1)
        running = as_completed(with_results=False)

        def submit() -> bool:
            group = list(islice(waiting, batch))
            if group:
                running.add(self._client.submit(_run_group, task, job, group, pure=False))
                if next(sent) % FORGET == 0:
                    key_split.cache_clear()
            return bool(group)

        for _ in range(PER_WORKER * self.n_workers):
            if not submit():
                break
        for future in running:
            try:
                advance(future.result())
            except KilledWorker as error:
                raise DataError(
                    f"workers died again and again in {task.__name__}; if the system killed them for memory, give "
                    "less with --memory, which makes smaller blocks; typed again, the command goes on"
                ) from error
            submit()


def _run_group(task: Task, job: Any, keys: Sequence[str]) -> int:
    """Carry out a few tasks on a worker; return how many."""
    for key in keys:
        task(job, key)
    return len(keys)


@contextmanager
def open_runner(scheduler: str | None = None, *, workers: int | None = None, memory: int = 2 << 30) -> Iterator[Runner]:
    """Give something to run tasks with.

    Parameters
    ----------
    scheduler : str, optional
        Address of a Dask scheduler, ``tcp://host:port``; ``"none"`` for this process alone. If not given, a cluster of
        processes on this machine.
    workers : int, optional
        Processes of that cluster; as many as cores if not given.
    memory : int
        Bytes that each of its workers may use. A scheduler's workers declare theirs.

    Yields
    ------
    Runner
    """
    if scheduler == "none":
        yield Serial(memory)
        return
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingDependency(
            'volumes need the package distributed; install it with: pip install "teasel[volumes]"'
        ) from error
    if scheduler is not None:
        if "://" not in scheduler:
            raise ParameterError(f"scheduler {scheduler!r}; expected an address such as tcp://host:8786")
        try:
            client = Client(scheduler, timeout=10)
        except OSError as error:
            raise DataError(f"no Dask scheduler answers at {scheduler}: {error}") from error
        with client:
            yield Waves(client)
        return
    import os

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    settings = {
        "distributed.scheduler.allowed-failures": 10,
        "distributed.worker.memory.target": False,  # results are files; there is nothing to spill
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.admin.low-level-log-length": 100,
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers or cores,
            threads_per_worker=1,
            memory_limit=memory,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield Waves(client)
