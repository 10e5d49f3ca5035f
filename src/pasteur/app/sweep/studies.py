"""The study of a sweep, in Optuna's store: a file under `outputs/`, or a server's database.

Optuna 2.10.1 is what hydra-optuna-sweeper 1.3 allows. It warns of much that SQLAlchemy 2 renamed, and does not commit
the version of a fresh store. Optuna takes seconds to import, so that only a sweep's parent does.
"""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from optuna import Study
    from optuna.trial import FrozenTrial

STORE = "PASTEUR_OPTUNA"
"""Variable with the URL of a store: no file of settings holds it, so that none shows its password."""

FOLDER = "folder"
"""Attribute of a study: where its trials' results lie."""

SECONDS = 10
"""How long another process may hold the store before it counts as locked."""

LOCK = 7_236_498_118
"""Key of the lock that is held in a server while Optuna's tables are made: any number, if it is everybody's."""

_STORES: dict[str, Any] = {}
"""URL -> the open store; one at a time."""


def url_of(root: Path, storage: str | None) -> str:
    """The store's URL: the one that is given, that of the environment, or a file of the project's."""
    if url := storage or os.environ.get(STORE, "").strip():
        return url
    folder = root.resolve() / "outputs"
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'optuna.db'}"


@contextmanager
def quiet() -> Iterator[None]:
    """Without what Optuna says of itself, of SQLAlchemy and of each trial."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import optuna

        optuna.logging.set_verbosity(logging.ERROR)
        yield


def open_store(url: str) -> Any:
    """Open the store, made where it is not there.

    Raises:
        ConfigError: it is locked, cannot be reached, is of another version or no store. Its password is not told.
    """
    if url not in _STORES:
        with quiet(), _told(url):
            _commit_versions()
            from optuna.storages import RDBStorage, _CachedStorage

            local = url.startswith("sqlite")
            options = {"connect_args": {"timeout": SECONDS}} if local else {"pool_pre_ping": True}
            forget()
            with _first(url):
                _STORES[url] = _CachedStorage(RDBStorage(url, engine_kwargs=options))
    return _STORES[url]


@contextmanager
def _first(url: str) -> Iterator[None]:
    """Hold a lock in a server while its tables are made: two machines that begin together would make them twice."""
    import sqlalchemy

    if not url.startswith("postgresql"):
        yield
        return
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"SELECT pg_advisory_lock({LOCK})"))  # until it is closed
        if sqlalchemy.inspect(connection).has_table("experiment_tags"):
            raise ConfigError(
                f"sweep.storage ({_shown(url)}): is MLflow's database; give Optuna's studies one of their own"
            )
        yield


def forget() -> None:
    """Close the open store: another process, or a fork of this one, opens its own."""
    for store in _STORES.values():
        store._backend.engine.dispose()  # noqa: SLF001 - it shows no other way
    _STORES.clear()


def current() -> Any:
    """The open store. hydra-optuna-sweeper is told this function's name, not the URL, which may hold a password."""
    return next(iter(_STORES.values()))


def open_study(url: str, name: str, *, objectives: int = 1, folder: Path | None = None) -> Study:
    """Open a study, made where it is not there. Everything in it is minimised.

    Args:
        url: the store's.
        name: the study's.
        objectives: how many numbers a trial gives.
        folder: where the trials' results lie.

    Raises:
        ConfigError: the store cannot be used, or the study belongs to another folder.
    """
    store = open_store(url)
    with quiet(), _told(url):
        import optuna

        study = optuna.create_study(
            study_name=name, storage=store, directions=["minimize"] * objectives, load_if_exists=True
        )
        if folder is None:
            return study
        here = _place(folder)
        held = study.user_attrs.get(FOLDER)
        if held is None:
            study.set_user_attr(FOLDER, here)
        elif held != here:
            raise ConfigError(f"sweep '{name}': its trials are in {held}, not in {here}; give another sweep.name")
        return study


def _place(folder: Path) -> str:
    import socket

    return f"{socket.gethostname()}:{folder.resolve()}"


def running(study: Study) -> list[FrozenTrial]:
    """Trials that were asked for and have no end."""
    from optuna.trial import TrialState

    return list(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))


def fruitless(study: Study) -> bool:
    """Whether no trial has given a value."""
    from optuna.trial import TrialState

    return not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def tell(study: Study, number: int, values: Sequence[float] | None) -> None:
    """Close trial `number` with its values, or as failed where there are none."""
    from optuna.trial import TrialState

    with quiet():
        if values:
            study.tell(number, list(values))
        else:
            study.tell(number, state=TrialState.FAIL)


def enqueue(study: Study, points: Sequence[Mapping[str, Any]]) -> None:
    """Have these points tried next, in their order, unless they wait already."""
    from optuna.trial import TrialState

    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    held = [trial.system_attrs.get("fixed_params") for trial in waiting]
    with quiet():
        for point in points:
            if dict(point) in held:
                held.remove(dict(point))
            else:
                study.enqueue_trial(dict(point))


def _commit_versions() -> None:
    """Have Optuna commit the version that it stamps a fresh store with."""
    import alembic
    from optuna.storages._rdb import storage

    def stamp(self: Any, revision: str) -> None:
        with self.engine.begin() as connection:
            context = alembic.migration.MigrationContext.configure(connection)
            context.stamp(self._create_alembic_script(), revision)

    manager: Any = storage._VersionManager  # noqa: SLF001 - there is no other place
    manager._set_alembic_revision = stamp  # noqa: SLF001


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What a store may raise, as one line that names the store without its password."""
    import sqlalchemy.exc as sql
    from optuna.exceptions import StorageInternalError

    try:
        yield
    except (sql.SQLAlchemyError, StorageInternalError, ImportError, RuntimeError, ValueError, AssertionError) as error:
        raise ConfigError(f"sweep.storage ({_shown(url)}): {_unreachable(error, url) or _why(error)}") from None


def _unreachable(error: Exception, url: str) -> str | None:
    """Why there is no connection to a server; None where it is not that."""
    from pasteur.postgres import faults

    orig = getattr(error, "orig", None) or getattr(error.__cause__, "orig", None)
    if not url.startswith("postgresql") or type(orig).__name__ != "OperationalError":
        return None
    return faults.unreachable(str(orig), "the url")


def _why(error: Exception) -> str:
    cause = error.__cause__ if error.__cause__ is not None else error
    said = " ".join(str(getattr(cause, "orig", None) or cause).split()).lower()
    if "locked" in said:
        return f"is locked by another process for longer than {SECONDS} s; end that process, or name another store"
    if "no longer compatible" in said or "can't locate revision" in said:
        return "was made by another version of Optuna; name another store, or upgrade it with `optuna storage upgrade`"
    if isinstance(error, ImportError) or type(error).__name__ == "NoSuchModuleError":
        return "needs a database driver that is not installed; for PostgreSQL: pip install 'pasteur[postgres]'"
    if type(error).__name__ == "ArgumentError":
        return "must be a URL such as sqlite:////folder/optuna.db or postgresql+psycopg://user@host/name"
    if "not a database" in said or "malformed" in said:
        return "is no database of SQLite's"
    return f"cannot be used ({type(error).__name__}); is it there, and may it be written?"


def _shown(url: str) -> str:
    from sqlalchemy.engine import make_url

    try:
        shown = make_url(url).set(query={}).render_as_string(hide_password=True)
        return "..." if set(make_url(url).database or "") & set(":@") else shown
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it may hold a password
        return "..."
