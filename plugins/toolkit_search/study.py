"""The study: its storage, and trials of which several processes do each once.

A process that works at a trial writes the time into it every few seconds. A trial that is running
and has not been heard of, or whose process on this machine is gone, is freed, and its settings are
tried again.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import DataError, MissingExtra, UsageError
from toolkit.system import redacted

if TYPE_CHECKING:
    import optuna

BEAT = 15.0
"""Seconds between two signs of life."""
SILENT = 120.0
"""Seconds without one, after which another machine's trial is free."""
JOURNAL = "study.journal"
PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between tries to make a database's tables."""


def optuna_module() -> Any:
    """Optuna, which says nothing but warnings; raises :class:`MissingExtra`."""
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("toolkit sweep", "search") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def opened(folder: Path, url: str | None, name: str, *, maximize: bool, seed: int) -> optuna.Study:
    """The study of a folder, or of a database that several machines share.

    Args:
        folder: of the results, with the journal.
        url: SQLAlchemy's address of a database; ``None``: the journal.
        name: of the study.
        maximize: whether more is better.
        seed: of the sampler.

    Raises:
        MissingExtra: Optuna or a database's driver is not installed.
        DataError: the database cannot be reached, or the journal is none.
    """
    module = optuna_module()
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            storage = _database(module, url) if url else _journal(module, folder / JOURNAL)
            settings: dict[str, Any] = {
                "study_name": name, "storage": storage,
                "pruner": module.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
            }  # fmt: skip
            direction = "maximize" if maximize else "minimize"
            made: optuna.Study
            try:
                made = module.create_study(
                    **settings, direction=direction, sampler=_sampler(module, seed)
                )
            except module.exceptions.DuplicatedStudyError:
                # Whoever comes later draws others than the first one, whose draws have a seed.
                made = module.load_study(**settings, sampler=_sampler(module, None))
            return made
        except (MissingExtra, UsageError):
            raise
        except ModuleNotFoundError as error:
            raise UsageError(
                f"--storage needs a driver that is not installed: {error.name}"
            ) from error
        except Exception as error:  # of whatever database
            place = redacted(url) if url else folder / JOURNAL
            raise DataError(
                f"the study in {place} cannot be opened: {redacted(str(error)).splitlines()[0]}"
            ) from error


def _journal(module: Any, place: Path) -> Any:
    from optuna.storages.journal import JournalFileBackend

    return module.storages.JournalStorage(JournalFileBackend(str(place)))


def _database(module: Any, url: str) -> Any:
    if "://" not in url:
        raise UsageError(f"--storage {redacted(url)!r:.100} is no address such as postgresql://…")
    from sqlalchemy.exc import DBAPIError

    for pause in (*PAUSES, None):
        try:
            # A connection that the server has closed meanwhile is opened again.
            return module.storages.RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
        except DBAPIError as error:
            # Of several processes that come first to an empty database all make its tables, and all
            # but one are told that they are there. Without a statement nothing was reached at all.
            if pause is None or error.statement is None:
                raise
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _sampler(module: Any, seed: int | None) -> Any:
    return module.samplers.TPESampler(
        multivariate=True, group=True, constant_liar=True, n_startup_trials=8, seed=seed
    )


# -- one trial for one process --------------------------------------------------------------------
@contextlib.contextmanager
def alive(trial: optuna.trial.Trial) -> Iterator[None]:
    """Within the block the trial tells that this process works at it."""
    ended = threading.Event()
    trial.set_user_attr("host", socket.gethostname())
    trial.set_user_attr("pid", os.getpid())
    trial.set_user_attr("alive", time.time())

    def beat() -> None:
        while not ended.wait(BEAT):
            with contextlib.suppress(Exception):  # a sign that is missed is followed by others
                trial.set_user_attr("alive", time.time())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(5)


def free_stale(study: optuna.Study) -> int:
    """Free the trials that nobody works at any more, and have their settings tried again.

    Returns:
        how many there were.
    """
    module = optuna_module()
    states = module.trial.TrialState
    freed = 0
    for trial in study.get_trials(deepcopy=False, states=(states.RUNNING,)):
        if not stale(trial.user_attrs, trial.datetime_start):
            continue
        # Another process may free it at the same time, of which one succeeds.
        with contextlib.suppress(Exception):
            study.tell(trial.number, state=states.FAIL)
            if trial.params:
                study.enqueue_trial(trial.params, skip_if_exists=False)
            freed += 1
    return freed


def stale(told: Mapping[str, Any], started: Any) -> bool:
    """Whether a running trial has no process any more.

    Args:
        told: what the trial has told.
        started: when it was started, in local time.
    """
    heard = told.get("alive")
    if heard is None:  # it has only just been asked for, or its process ended right then
        return started is not None and time.time() - started.timestamp() > SILENT
    if told.get("host") == socket.gethostname():
        return int(told.get("pid") or 0) != os.getpid() and not _runs(int(told.get("pid") or 0))
    return time.time() - float(heard) > SILENT


def _runs(pid: int) -> bool:
    import psutil

    with contextlib.suppress(psutil.Error):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False
