"""The operating system's user behind a command, who is on record beside the operator of `--as`.

Whoever may run commands on the server may name any operator, so the record also names the account of the server. It is
asked of the operating system, not of the environment, where a command could set any name.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pingone_integration.calls.scoped import scoped

_current: ContextVar[str] = ContextVar("system_user", default="")


def current() -> str:
    """Return the user of the command that runs, or "" for a page."""
    return _current.get()


@contextmanager
def recorded(name: str | None = None) -> Iterator[None]:
    """Put the user of this process on record with every entry made inside. `name`: who started a job by a command."""
    with scoped(_current, of_process() if name is None else name):
        yield


def of_process() -> str:
    """Return the name of the account that runs this process, or its number if it has no name."""
    try:
        import pwd
    except ImportError:  # not a POSIX system
        return os.getlogin()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # for example in a container
        return f"uid {os.getuid()}"
