"""What the Hugging Face hub, or the way to it, answers when it does not do as it is asked; for people."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub.errors import OfflineModeIsEnabled, RevisionNotFoundError

from workers.dataset.errors import DatasetError

_LOGIN = "`hf auth login` with a token that may {what} it"
_OF_STATUS = {
    401: "the hub does not know you, or there is no such dataset: check the name, then " + _LOGIN,
    403: "the hub does not let you {what} it: " + _LOGIN + ", or ask its owner for access",
    404: "there is no such dataset, or it is private and your token does not show it: check the name, then " + _LOGIN,
    409: "somebody changed it at the same time: look at it, then do it again",
    412: "somebody changed it at the same time: look at it, then do it again",
    429: "the hub asks to wait (too many requests): do it again in some minutes",
}  # fmt: skip


@contextmanager
def told(doing: str, what: str, left: str) -> Iterator[None]:
    """Whatever the client raises becomes a DatasetError: what went wrong, why, what to do, what is `left`.

    Args:
        doing: what could not be done, as a beginning of a sentence.
        what: `read` or `write to`, what a token would have to allow.
        left: what has become of the data.
    """
    try:
        yield
    except DatasetError:
        raise
    except Exception as error:  # what the client raises depends on its version and its transport
        raise DatasetError(f"{doing}: {_why(error, what)}. {left}") from error


def _why(error: Exception, what: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set: unset it to reach the hub"
    if isinstance(error, RevisionNotFoundError):
        return "it has no such revision: name a branch, tag or commit that it has"
    if status in _OF_STATUS:
        return _OF_STATUS[status].format(what=what) + f" (HTTP {status})"
    if status is not None and status >= 500:
        return f"the hub has trouble of its own (HTTP {status}): do it again later"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: make space and do it again"
    if status is None and _is_of_the_way(error):
        return (
            f"the hub cannot be reached ({type(error).__name__}: {error}): check the network and do it again"
        )
    return f"{type(error).__name__}: {error}"


def _is_of_the_way(error: Exception) -> bool:
    """Whether it says that a connection failed or broke; clients differ in the library that raises it."""
    library = type(error).__module__.split(".")[0]
    return isinstance(error, ConnectionError | TimeoutError) or library in (
        "httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3",
    )  # fmt: skip
