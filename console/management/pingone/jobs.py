"""Jobs in a terminal: a preview from a file or standard input, then start, status, pause, resume and cancel."""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError
from django.http import QueryDict
from django.urls import reverse

from console.access import OrgAccess
from console.actions.catalogue import ACTIONS, BY_KEY, Action
from console.actions.demands import Demand
from console.jobs import control, lists
from console.jobs.drafts import require_to_prepare
from console.jobs.files import encodings, kept
from console.jobs.files.bad_list import BadList
from console.jobs.inputs_form import inputs_form
from console.jobs.limits import TooManyRows
from console.jobs.new import make
from console.jobs.overview import MOVING, Overview
from console.jobs.plan_action import action_of, keys_of
from console.jobs.start_form import StartJobForm
from console.jobs.who import Who
from console.jobs.words import OUTCOMES, STATES, VERDICTS
from console.management.options import identifier
from console.management.pingone import options
from console.management.pingone.terminal import FAILED, INVALID, REFUSED, Terminal, approval_hint, input_bytes
from console.models import AuditEntry, Job, PeopleList
from console.users.remembered import known_attributes
from pingone_integration.texts import english

_DOES = "Acts on many users: a preview of every row first, then the start. The worker does the work."
_PIECE = 256 * 1024  # bytes
_ASKED_EVERY_S = 1.0


def add(kinds: Any) -> None:
    kind = kinds.add_parser("job", help="Act on many users", description=_DOES)
    doings = kind.add_subparsers(dest="doing", metavar="DO", required=True)
    _add_preview(doings)
    start = doings.add_parser("start", help="start a job that was previewed")
    start.add_argument("--first", type=int, metavar="ROWS", help="run so many rows, then pause")
    start.add_argument(
        "--people", type=int, metavar="ROWS", help="confirms the number of rows, if the file may be cut off"
    )
    options.add_ticket_and_reason(start)
    start.set_defaults(run=_start)
    _add_job(start)
    for name, told, do in _SIMPLE:
        simple = doings.add_parser(name, help=told)
        simple.set_defaults(run=partial(_do, do))
        _add_job(simple)


def _add_preview(doings: Any) -> None:
    preview = doings.add_parser("preview", help="read a list, and show what would happen to each of its users")
    preview.add_argument(
        "job_action", metavar="ACTION", type=identifier, choices=[action.key for action in ACTIONS if action.bulk]
    )
    preview.add_argument("--file", required=True, metavar="FILE", help="a CSV; - reads standard input")
    preview.add_argument(
        "--encoding",
        default="",
        choices=["", *encodings.LABELS],
        metavar="NAME",
        type=identifier,
        help="if UTF-8 fails",
    )
    for name in sorted({name for action in ACTIONS if action.bulk for name in action.form.id_fields()}):
        preview.add_argument(f"--{name.replace('_', '-')}", dest=f"input_{name}", type=identifier, metavar="ID")
    preview.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="for the preview; 60 by default")
    preview.set_defaults(run=_preview)
    options.add_common(preview)


def _add_job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", type=identifier, metavar="JOB", help="the job's ID")
    options.add_common(parser)


def _job(access: OrgAccess, given: dict[str, Any]) -> Job:
    try:
        job_id = UUID(given["job"])
    except ValueError as error:
        raise CommandError(f"JOB: {given['job']!r} is not an ID.", returncode=INVALID) from error
    return control.job_or_404(access, job_id)


def _preview(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    action = BY_KEY[given["job_action"]]
    access.require_to(action)
    who = Who(source=Job.Source.FILE, label="")
    form = inputs_form(access, action, who, _typed(given))
    options.raise_mistakes(form)
    try:
        job = _made(access, action, form.inputs(), given)
    except BadList as bad:
        raise CommandError(f"{given['file']}: {english(bad.told)}", returncode=INVALID) from bad
    ends = time.monotonic() + given["wait"]
    while job.state in MOVING and time.monotonic() < ends:
        wait()
        job.refresh_from_db()
    _tell(terminal, access, job)


def wait() -> None:
    time.sleep(_ASKED_EVERY_S)


def _made(access: OrgAccess, action: Action, inputs: dict[str, Any], given: dict[str, Any]) -> Job:
    """Make a job of the file, with its columns as their headings say, or as an operator chose them last."""
    require_to_prepare(access, action)
    name = "" if given["file"] == "-" else Path(given["file"]).name
    try:
        people = kept.keep(access, name, _pieces(given["file"]))
    except OSError as error:
        raise CommandError(f"--file: {error}", returncode=INVALID) from error
    try:
        _choose_columns(access, action, people, given["encoding"])
    except BadList:
        people.delete()
        raise
    channel = AuditEntry.Channel.COMMAND
    return make(access, action, people, inputs, channel=channel)


def _choose_columns(access: OrgAccess, action: Action, people: PeopleList, encoding: str) -> None:
    attributes = known_attributes(access) or () if action.form.looks_at_schema else ()
    reading = lists.read_file(access, people, action, attributes, encoding=encoding)
    if reading.columns is None:
        names = ", ".join(one.encoding for one in reading.readings)
        raise BadList(f"The encoding is not certain. Choose with --encoding one of {names}.")
    lists.choose_columns(access, people, action, reading, reading.columns)


def _typed(given: dict[str, Any]) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update(options.typed(given))
    return data


def _pieces(name: str) -> Iterator[bytes]:
    if name == "-":
        yield from iter(partial(input_bytes().read, _PIECE), b"")
        return
    with Path(name).open("rb") as file:
        yield from iter(partial(file.read, _PIECE), b"")


def _start(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    job = _job(access, given)
    overview = Overview(job=job)
    counted = overview.total if job.is_possibly_cut else None
    typed = options.typed(given) | {"first_rows": given["first"] or "", "people": given["people"] or ""}
    form = StartJobForm(
        options.submitted(StartJobForm(access=access, action=overview.action, counted=counted), typed),
        access=access,
        action=overview.action,
        counted=counted,
    )
    options.raise_mistakes(form)
    circumstances = options.circumstances_of(form, given)

    def start(access: OrgAccess, job: Job) -> None:
        control.start(access, job, circumstances, first=given["first"], people=form.cleaned_data.get("people"))

    _do(start, access, terminal, given)


def _do(do: Callable[[OrgAccess, Job], object], access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    job = _job(access, given)
    try:
        do(access, job)
    except control.NotPossibleNow as refusal:
        is_for_a_page = Demand.FRESH_SIGN_IN in refusal.demanded
        page = _address(access, job) if is_for_a_page else ""
        code = REFUSED if refusal.demanded else FAILED
        more = approval_hint(refusal.asked) if Demand.APPROVAL in refusal.demanded else ""
        terminal.end(code, "refused", f"{english(refusal.reason)}{more}", page=page)
    except TooManyRows as refusal:
        terminal.end(REFUSED, "refused", english(refusal.reason))
    job.refresh_from_db()
    _tell(terminal, access, job)


def _only_look(access: OrgAccess, job: Job) -> None:
    for key in keys_of(action_of(job)):
        access.require_to(BY_KEY[key])


_SIMPLE: tuple[tuple[str, str, Callable[[OrgAccess, Job], object]], ...] = (
    ("status", "show how far a job is", _only_look),
    ("pause", "pause a job", control.pause),
    ("resume", "let a paused job go on", control.resume),
    ("cancel", "end a job; rows that were not reached stay untouched", control.cancel),
)


def _tell(terminal: Terminal, access: OrgAccess, job: Job) -> None:
    """Print the state of the job, and the numbers of its rows."""
    overview = Overview(job=job)
    verdicts = {verdict: count for verdict, count in overview.verdicts.items() if verdict}
    outcomes = dict(overview.outcomes) if overview.has_begun else {}
    if terminal.as_json:
        told = {"job": str(job.pk), "state": job.state, "action": job.action, "rows": overview.total}
        told |= {"runs": overview.runs, "preview": verdicts, "outcomes": outcomes}
        terminal.json(told | {"pause": job.pause, "detail": job.pause_detail, "page": _address(access, job)})
        return
    lines = [f"Job {job.pk}: {english(STATES[job.state])}"]
    lines += [" ".join(filter(None, [english(overview.pause), job.pause_detail]))] if job.pause else []
    lines += [f"{english(VERDICTS[verdict])}: {count}" for verdict, count in verdicts.items()]
    lines += [f"Rows that a start runs: {overview.runs}"] if job.state == Job.State.PREVIEWED else []
    lines += [f"{english(OUTCOMES[state])}: {count}" for state, count in outcomes.items()]
    terminal.lines([*lines, f"Every row: {_address(access, job)}"])


def _address(access: OrgAccess, job: Job) -> str:
    return f"{settings.PUBLIC_URL}{reverse('job', args=[access.org.slug, job.pk])}"
