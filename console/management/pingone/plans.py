"""Plans in a terminal: list, preview, start now or at a time, status and cancel. See plan_files.py for the rest."""

import argparse
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from console import visible_users
from console.access import OrgAccess, Permission
from console.actions.demands import Demand
from console.management.options import identifier, text
from console.management.pingone import options, plan_files
from console.management.pingone.find import find
from console.management.pingone.terminal import FAILED, INVALID, REFUSED, Terminal, approval_hint
from console.models import PlanRun
from console.plans import runs
from console.plans.editing.listed import listed
from console.plans.effects import Reading
from console.plans.offered import FOR_A_USER, offered_for, plan_or_404
from console.plans.overview import Overview
from console.plans.preview import Verdict, preview
from console.plans.runs import NotPossibleNow, Start
from console.plans.start_form import LATER, NOW, TEMPLATES, StartPlanForm
from pingone_integration.texts import english

_DOES = "Runs a plan for one user: what it would do first, then the start. The worker does what is not done at once."


def add(kinds: Any) -> None:
    kind = kinds.add_parser("plan", help="Run a plan for a user", description=_DOES)
    doings = kind.add_subparsers(dest="doing", metavar="DO", required=True)
    for name, told, do, arguments in _DOINGS:
        doing = doings.add_parser(name, help=told)
        for add_arguments in arguments:
            add_arguments(doing)
        doing.set_defaults(run=do)
        options.add_common(doing)
    plan_files.add(doings)


def _add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", type=identifier, metavar="PLAN", help="the plan's ID, as `plan list` shows it")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan_run", type=identifier, metavar="RUN", help="the run's ID, as `plan start` prints it")


def _add_start(parser: argparse.ArgumentParser) -> None:
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument("--now", action="store_true", help="start it at once")
    when.add_argument(
        "--at", metavar="TIME", type=identifier, help='start it at this local time, such as "2026-12-04 18:00"'
    )
    parser.add_argument("--zone", type=identifier, metavar="ZONE", help="of --at, such as Europe/Stockholm")
    parser.add_argument("--which", choices=["first", "second"], type=identifier, help="of an hour that comes twice")
    parser.add_argument(
        "--choose",
        action="append",
        default=[],
        metavar="STEP.FIELD=VALUE",
        type=text,
        help="what the plan asks, such as 5.population_id=ID; STEP.chosen=on for a step that is a choice itself",
    )
    parser.add_argument("--replace", action="store_true", help="cancel the plan that already runs for the user")
    options.add_ticket_and_reason(parser)


def _list(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    access.require(Permission.VIEW_USERS)
    numbers = {one.id: one.version.number for one in listed(access) if one.version}
    rows = [
        {"id": one.id, "name": one.name, "version": numbers.get(one.id), "steps": len(one.steps)}
        for one in offered_for(access)
    ]
    if terminal.as_json:
        terminal.json({"plans": rows})
    else:
        terminal.table([("id", "name", "version", "steps"), *(tuple(row.values()) for row in rows)])


def _preview(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    access.require(Permission.VIEW_USERS)
    definition, _version = plan_or_404(access, given["plan"])
    lines = preview(access, definition, _reading(access, given["user"]), {})
    told = [
        {
            "step": line.number,
            "title": english(line.title),
            "verdict": str(line.verdict),
            "names": list(line.names),
            "notes": list(map(english, line.notes)),
        }
        for line in lines
    ]
    if terminal.as_json:
        terminal.json({"plan": definition.id, "steps": told})
        return
    for line in lines:
        terminal.lines([f"{line.number}. {english(line.title)}: {english(line.told)}"])
        terminal.lines(f"   {more}" for more in (*line.names, *map(english, line.notes)))


def _start(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    access.require(Permission.VIEW_USERS)
    definition, version = plan_or_404(access, given["plan"])
    if definition.kind not in FOR_A_USER:
        raise CommandError(f"{definition.id} does not begin with a user who exists.", returncode=INVALID)
    reading = _reading(access, given["user"])
    open_runs = PlanRun.objects.filter(organization=access.org, person_id=reading.user.id, state__in=PlanRun.OPEN)
    other = open_runs.first()
    blank = StartPlanForm(access=access, definition=definition, reading=reading, other=other)
    form = StartPlanForm(_typed(blank, given), access=access, definition=definition, reading=reading, other=other)
    _raise_mistakes(form)
    lines = preview(access, definition, reading, form.choices, form.source)
    refused = [line for line in lines if line.verdict is Verdict.REFUSED]
    if refused:
        terminal.end(REFUSED, "refused", "\n".join(f"{one.number}. {english(one.title)}: refused" for one in refused))
    start = Start(
        definition=definition,
        version=version,
        choices=form.choices,
        when=form.when_at,
        zone=form.own_zone,
        replaces=other.pk if other else None,
    )
    try:
        run = runs.start(access, reading.user, start, options.circumstances_of(form, given))
    except NotPossibleNow as refusal:
        page = reverse("start-plan", args=[access.org.slug, reading.user.id, definition.id])
        _end(terminal, refusal, page)
    _tell(access, terminal, run)


def _typed(blank: StartPlanForm, given: dict[str, Any]) -> dict[str, str]:
    """Return what the page's form would send. Raises CommandError for a choice that the plan does not ask."""
    typed = options.submitted(blank, options.typed(given)) | {"zone": given["zone"] or blank.initial["zone"]}
    typed |= {"when": NOW} if given["now"] else {"when": LATER, "at": given["at"].strip().replace(" ", "T", 1)}
    typed |= {"which": given["which"]} if given["which"] else {}
    typed |= {"replaces": "on"} if given["replace"] else {}
    asked = {name.removeprefix("step-").replace("-", ".", 1): name for name in blank.fields if name.startswith("step-")}
    asked |= {name: name for name in TEMPLATES if name in blank.fields}
    for choice in given["choose"]:
        name, _equals, value = choice.partition("=")
        if name not in asked:
            offered = ", ".join(asked) or "nothing"
            raise CommandError(
                f"--choose: the plan does not ask for {name}. It asks for: {offered}", returncode=INVALID
            )
        typed[asked[name]] = value
    return typed


def _raise_mistakes(form: StartPlanForm) -> None:
    """Raise CommandError with the options of what is wrong, as they are called here."""
    if form.is_valid():
        return
    names = {"replaces": "--replace", "__all__": ""}
    told = []
    for name, problems in form.errors.items():
        option = names.get(name, f"--choose {name[5:].replace('-', '.', 1)}" if name[:5] == "step-" else f"--{name}")
        label = english(form.fields[name].label or "") if name == "replaces" else ""
        told += [": ".join(filter(None, [option, label or str(one)])) for one in problems]
    raise CommandError("\n".join(told), returncode=INVALID)


def _status(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    access.require(Permission.VIEW_USERS)
    _tell(access, terminal, _run(access, given))


def _cancel(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    access.require(Permission.VIEW_USERS)
    run = _run(access, given)
    try:
        runs.cancel(access, run)
    except NotPossibleNow as refusal:
        _end(terminal, refusal, _path(access, run))
    _tell(access, terminal, run)


def _reading(access: OrgAccess, name: str) -> Reading:
    api = access.pingone()
    return Reading(api, visible_users.get(access, api, find(access, name)))


def _run(access: OrgAccess, given: dict[str, Any]) -> PlanRun:
    try:
        return runs.run_or_404(access, UUID(given["plan_run"]))
    except ValueError as error:
        raise CommandError(f"RUN: {given['plan_run']!r} is not an ID.", returncode=INVALID) from error


def _end(terminal: Terminal, refusal: NotPossibleNow, path: str) -> None:
    page = settings.PUBLIC_URL + path if Demand.FRESH_SIGN_IN in refusal.demanded else ""
    more = approval_hint(refusal.asked) if Demand.APPROVAL in refusal.demanded else ""
    terminal.end(REFUSED if refusal.demanded else FAILED, "refused", english(refusal.reason) + more, page=page)


def _path(access: OrgAccess, run: PlanRun) -> str:
    return reverse("plan-run", args=[access.org.slug, run.pk])


def _tell(access: OrgAccess, terminal: Terminal, run: PlanRun) -> None:
    """Print the run with its steps."""
    overview = Overview(run)
    page = settings.PUBLIC_URL + _path(access, run)
    if terminal.as_json:
        steps = [
            {"step": one.number, "title": english(one.title), "state": one.outcome, "detail": one.row.detail}
            for one in overview.lines
        ]
        told = {"run": str(run.pk), "plan": run.plan_slug, "user": run.person_name, "state": run.state}
        told |= {"starts_at": run.starts_at.isoformat(), "stop": run.stop, "detail": run.stop_detail}
        terminal.json(told | {"steps": steps, "page": page})
        return
    head = f"Run {run.pk}: {run.plan_name} for {run.person_name}: {english(overview.state)}"
    lines = [" ".join(filter(None, [head, english(overview.time)]))]
    lines += [" ".join(filter(None, [english(overview.stop), run.stop_detail]))] if overview.stop else []
    lines += [
        f"{one.number}. {english(one.title)}: {english(one.state)}" + (f" ({one.row.detail})" if one.row.detail else "")
        for one in overview.lines
    ]
    terminal.lines([*lines, page])


_DOINGS = (
    ("list", "list the plans that the operator can start", _list, ()),
    ("preview", "show what a plan would do to a user; nothing is changed", _preview, (_add_plan, options.add_user)),
    ("start", "start a plan for a user", _start, (_add_plan, options.add_user, _add_start)),
    ("status", "show how far a run is", _status, (_add_run,)),
    ("cancel", "end a run: what has not begun stays undone", _cancel, (_add_run,)),
)
