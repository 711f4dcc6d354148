"""What a command prints, and how it ends: text or JSON, and an exit code by outcome."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn, TextIO
from uuid import UUID

from django.core.management.base import CommandError

from console.actions.outcome import (
    AlreadySubmitted,
    Conflict,
    Done,
    Failed,
    NoChange,
    Refused,
    Result,
    Unknown,
    error_of,
)
from console.failures.next_step import resolution_of
from pingone_integration.errors import PingOneError
from pingone_integration.texts import english

FAILED, INVALID, UNKNOWN, REFUSED = 1, 2, 3, 4  # argparse, too, exits with 2 for an invalid command line
EXIT_CODES: dict[type[Result], int] = {
    Done: 0,
    NoChange: 0,
    AlreadySubmitted: REFUSED,
    Refused: REFUSED,
    Conflict: FAILED,
    Failed: FAILED,
    Unknown: UNKNOWN,
}


@dataclass(frozen=True)
class Terminal:
    """Where a command prints."""

    out: Any  # Django's OutputWrapper, or any file
    as_json: bool

    def lines(self, lines: Iterable[str]) -> None:
        """Print the lines. What an untrusted text could do to a terminal is escaped."""
        for line in lines:
            self.out.write(shown(line))

    def table(self, rows: Iterable[Iterable[object]]) -> None:
        """Print rows of values with tabs between them, for people and for `cut`."""
        for row in rows:
            self.out.write("\t".join("" if value is None else shown(str(value)) for value in row))

    def json(self, told: Mapping[str, Any]) -> None:
        self.out.write(json.dumps(told))

    def stop(
        self,
        result: AlreadySubmitted | Refused | Conflict | Failed | Unknown,
        text: str,
        *,
        page: str = "",
    ) -> NoReturn:
        """Exit with the reason why the action was not done. `page`: the address where it can be done."""
        outcome = str(result.recorded_as)
        self.end(EXIT_CODES[type(result)], outcome, text, error=error_of(result), page=page)

    def end(self, code: int, outcome: str, text: str, *, error: PingOneError | None = None, page: str = "") -> NoReturn:
        """Print the outcome, as JSON to standard output or as text to standard error, and exit with `code`."""
        trace = error.trace if error else None
        details = [f"{detail.target}: {detail.message or detail.code}" for detail in error.details] if error else []
        if self.as_json:
            told: dict[str, Any] = {"outcome": outcome, "error": text, "details": details}
            if error:
                told |= {"kind": error.kind, "title": english(error.title), "cause": english(error.cause)}
                told["resolution"] = english(resolution_of(error))
            if trace:
                told |= {"error_id": trace.error_id, "transaction_id": trace.transaction_id}
            if error and error.retry_after_s is not None:
                told["retry_after_s"] = error.retry_after_s
            self.json(told | ({"page": page} if page else {}))
            sys.exit(code)
        ids = f" Transaction ID {trace.transaction_id}." if trace and trace.transaction_id else ""
        there = [f"Do this on its page: {page}"] if page else []
        raise CommandError("\n".join([text + ids, *map(shown, details), *there]), returncode=code)


def input_stream() -> TextIO:
    """Return standard input, as it is now."""
    return sys.stdin


def input_bytes() -> BinaryIO:
    """Return standard input, as bytes."""
    return sys.stdin.buffer


def why(error: PingOneError) -> str:
    when = f" Try again in {error.retry_after_s} seconds." if error.retry_after_s is not None else ""
    return f"{english(error.title)}. {english(error.cause)} {english(resolution_of(error))}{when}"


def needs_approval(refused: Refused) -> str:
    return f"{english(refused.reason)}{approval_hint(refused.asked)}"


def approval_hint(asked: UUID | None) -> str:
    """Return how an approval is asked for, or when to run the command again once it was."""
    return f" {'Run the command again once it is approved.' if asked else 'Ask for it with --ask-approval.'}"


def shown(text: str) -> str:
    """Escape characters that could move the terminal's cursor or change its colors."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
