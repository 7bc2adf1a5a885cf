"""The Hub, as much of it as a push needs; what fails for a while is tried again.

Nothing here knows of runs. The token comes from the environment or the keyring, is handed to each
call and is written nowhere.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from toolkit.errors import MissingExtra, ToolkitError, UsageError
from toolkit.system import hide, redacted
from toolkit_export.hub_files import Piece

VARIABLE = "HF_TOKEN"
KEYRING = ("huggingface.co", "toolkit")
"""Service and name under which the keyring has the token."""
TRIES = 3
"""How often a step is tried; within each, huggingface_hub sends some requests five times."""
LONGEST_PAUSE = 60.0
T = TypeVar("T")


class PushFailed(ToolkitError):
    """The Hub did not take something, after all tries; nothing else has changed."""

    exit_code = 1


def token() -> str:
    """The token, from the environment or the keyring.

    Raises:
        UsageError: there is none.
    """
    if found := os.environ.get(VARIABLE, "").strip():
        return found
    if importlib.util.find_spec("keyring"):
        import keyring

        try:
            if kept := keyring.get_password(*KEYRING):
                hide(kept)
                return kept
        except keyring.errors.KeyringError:
            pass
    raise UsageError(
        f"toolkit push needs a token of the Hub that may write: set {VARIABLE}, or put it into "
        f"the keyring: keyring set {' '.join(KEYRING)}"
    )


class Hub:
    """One repository of models.

    Args:
        repository: ``OWNER/NAME``.
        key: the token.
        pause: seconds before the second try; they double.
        say: gets a sentence before each further try.

    Raises:
        MissingExtra: the extra ``hub`` is not installed.
        UsageError: the Hub is switched off, or the name is none.
    """

    def __init__(
        self, repository: str, key: str, *, pause: float = 1.0,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:  # fmt: skip
        try:
            import huggingface_hub
            import tenacity
            from huggingface_hub import constants, errors
            from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]
        except ImportError as error:
            raise MissingExtra("toolkit push", "hub") from error
        if constants.HF_HUB_OFFLINE:
            raise UsageError("HF_HUB_OFFLINE is set, and a push needs the Hub")
        if repository.count("/") != 1 or not all(repository.split("/")):
            raise UsageError(f"--to {repository!r}: give OWNER/NAME")
        try:
            validate_repo_id(repository)
        except errors.HFValidationError as error:
            raise UsageError(f"--to {repository!r} is no name of a repository") from error
        self.repository, self.pause, self.say = repository, pause, say
        self._hub, self._errors, self._tenacity = huggingface_hub, errors, tenacity
        self._api = huggingface_hub.HfApi(token=key, library_name="adapter-toolkit")

    @property
    def address(self) -> str:
        """The repository's page."""
        return f"{self._api.endpoint}/{self.repository}"

    def visible(self) -> bool | None:
        """Whether everybody sees the repository; ``None``: there is none."""
        missing = self._errors.RepositoryNotFoundError

        def look() -> bool | None:
            try:
                return not self._api.repo_info(self.repository).private
            except missing:
                return None

        return self._tried("looking at the repository", look)

    def make(self, *, public: bool) -> None:
        """Make the repository, unless it is there."""
        self._tried(
            "making the repository", self._api.create_repo, self.repository, private=not public,
            exist_ok=True,
        )  # fmt: skip

    def branch(self, name: str) -> None:
        """Make a revision, unless it is there."""
        self._tried(
            "making the revision", self._api.create_branch, self.repository, branch=name,
            exist_ok=True,
        )  # fmt: skip

    def commit(self, pieces: Sequence[Piece], message: str, revision: str = "main") -> str:
        """Send files in one commit, all or none; gives the commit's address.

        Raises:
            PushFailed: it was not taken.
        """
        add = self._hub.CommitOperationAdd
        operations = [add(one.name, _content(one.content)) for one in pieces]
        done = self._tried(
            "sending the files", self._api.create_commit, self.repository, operations,
            commit_message=message, revision=revision,
        )  # fmt: skip
        return str(done.commit_url)

    def _tried(self, what: str, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        tenacity = self._tenacity

        def before(state: Any) -> None:
            seconds = state.next_action.sleep
            self.say(f"{what} failed ({self._words(state)}); trying again in {seconds:.0f} s")

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._may_pass),
            stop=tenacity.stop_after_attempt(TRIES),
            wait=tenacity.wait_random_exponential(self.pause, LONGEST_PAUSE),
            before_sleep=before, reraise=True,
        )  # fmt: skip
        try:
            found: T = retrying(call, *arguments, **named)
            return found
        except Exception as error:
            raise self._failed(what, error) from error

    def _words(self, state: Any) -> str:
        return redacted(" ".join(str(state.outcome.exception()).split())[:160])

    def _may_pass(self, error: BaseException) -> bool:
        """Whether another try may help."""
        import httpx

        status = _status(error)
        if status is not None:
            return status in (408, 409, 425, 429) or status >= 500
        return any(
            isinstance(one, httpx.TransportError | ConnectionError | TimeoutError)
            for one in _causes(error)
        )

    def _failed(self, what: str, error: Exception) -> Exception:
        """The error in a sentence: something to correct, or a failure."""
        status = _status(error)
        *_, cause = _causes(error)  # which says more than "a file was not taken"
        said = redacted(" ".join(str(cause).split())[:300])
        if status in (401, 403):
            return UsageError(
                f"the Hub answers {status} while {what}: the token is wrong, or may not write to "
                f"{self.repository}"
            )
        if isinstance(error, ToolkitError):
            return error
        return PushFailed(f"{what} failed at {self._api.endpoint}: {said}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what it came of: a file that is not taken is an error without a status."""
    while error is not None:
        yield error
        error = error.__cause__


def _status(error: BaseException) -> int | None:
    responses = (getattr(one, "response", None) for one in _causes(error))
    return next((int(one.status_code) for one in responses if one is not None), None)


def _content(content: Any) -> Any:
    return content if isinstance(content, bytes) else str(content)
