"""The options of the `pingone` command, made from the fields of the pages' forms."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.forms import CharField, Field, Form

from console.actions.forms import ActionForm
from console.audit.entries import Circumstances
from console.management.options import address, identifier
from console.management.pingone.terminal import INVALID, input_stream
from console.models import AuditEntry
from pingone_integration.texts import english


def add_user(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", required=True, metavar="NAME", type=address, help="username, email address or ID")


def add_field(parser: argparse.ArgumentParser, name: str, field: Field, *, required: bool) -> None:
    option = f"--{name.replace('_', '-')}"
    typed = str if isinstance(field, CharField) else identifier  # a text field cleans its own text
    parser.add_argument(
        option, dest=f"input_{name}", required=required, metavar="VALUE", type=typed, help=_help_of(field)
    )


def add_ticket_and_reason(parser: argparse.ArgumentParser) -> None:
    for name in ("ticket", "reason"):
        add_field(parser, name, ActionForm.base_fields[name], required=False)


def add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as",
        dest="operator",
        required=True,
        metavar="EMAIL",
        type=address,
        help="the operator; their role decides what is allowed",
    )
    parser.add_argument(
        "--ask-approval", action="store_true", help="change nothing; ask a second person, if that is demanded"
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def typed(options: dict[str, Any]) -> dict[str, str]:
    """Return the values of the options that `add_field` made, by field."""
    return {
        name.removeprefix("input_"): str(value)
        for name, value in options.items()
        if name.startswith("input_") and value is not None
    }


def submitted(blank: ActionForm, typed: dict[str, str]) -> dict[str, str]:
    """Return the data as from a page's form, with a new `submission` for each run."""
    return {"submission": str(blank["submission"].initial), **typed}


def raise_mistakes(form: Form) -> None:
    if form.is_valid():
        return
    mistakes = [
        f"--{name.replace('_', '-')}: {text}" if name != "__all__" else str(text)
        for name, texts in form.errors.items()
        for text in texts
    ]
    raise CommandError("\n".join(mistakes), returncode=INVALID)


def circumstances_of(form: ActionForm, given: dict[str, Any]) -> Circumstances:
    cleaned = form.cleaned_data
    return Circumstances(
        asks_approval=given["ask_approval"],
        channel=AuditEntry.Channel.COMMAND,
        ticket=cleaned["ticket"],
        reason=cleaned["reason"],
        submission=cleaned["submission"],
    )


def content(option: str, name: str | None) -> str:
    """Return the text of the file, or of standard input for "-"."""
    if name is None:
        return ""
    try:
        return input_stream().read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{option}: {error}", returncode=INVALID) from error


def _help_of(field: Field) -> str:
    return " ".join(english(part).replace("%", "%%") for part in (field.label or "ID", field.help_text) if part)
