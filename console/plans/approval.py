"""The approval of a second person for a plan for one person: bound to every line of its preview, and to its time."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.approvals import requests
from console.approvals.effects import Effects, Kind
from console.approvals.requests import NotUsable
from console.approvals.rules import EVERY_PLAN, rules_of
from console.approvals.unapproved import ASKED, NOT_DEMANDED, Unapproved
from console.audit.entries import Circumstances, Subject
from console.models import ApprovalRequest, AuditEntry, PlanRun
from console.plans.ahead import Choices, chosen_steps, is_chosen
from console.plans.dates import When
from console.plans.definition import Definition
from console.plans.effects import Reading
from console.plans.newcomer import is_newcomer
from console.plans.preview import VERDICTS, Line, Verdict, preview, title_of
from console.plans.targets import device_name
from console.user_templates.in_words import in_words
from pingone_integration import population_sync
from pingone_integration.texts import Text, english
from pingone_integration.users import User
from pingone_integration.values import identifier

_NEEDED = _("This plan needs the approval of a second person.")
_TICKED = "chosen"  # of a step that is asked for, and has no inputs
_BOUND = _("The plan was approved with its time. Cancel it, and ask for approval of another time.")


def is_demanded(access: OrgAccess, definition: Definition, choices: Choices) -> bool:
    """Return whether the organization asks for it, by the plan or by something that the plan does."""
    rules = rules_of(access.org)
    by_plan = not rules.plans.isdisjoint({EVERY_PLAN, definition.id})
    return by_plan or rules.demand(step.action for _number, step in chosen_steps(definition, choices))


def required(
    access: OrgAccess,
    person: User,
    definition: Definition,
    choices: Choices,
    *,
    when: When | None,
    circumstances: Circumstances,
) -> ApprovalRequest | None:
    """Return the approval that the start uses up; None: none is demanded. Raises Unapproved and PingOneErrors."""
    if not is_demanded(access, definition, choices):
        if circumstances.asks_approval:
            raise Unapproved(NOT_DEMANDED)
        return None
    effects = _effects(access, person, definition, choices, when=when)
    try:
        if circumstances.asks_approval:
            raise Unapproved(ASKED, asked=requests.ask(access, effects, circumstances).pk)
        found = requests.find(access, effects)
    except NotUsable as lost:
        raise Unapproved(lost.reason) from None
    if found is None:
        raise Unapproved(_NEEDED)
    return found


def require_by_job(access: OrgAccess, job: UUID, definition: Definition, choices: Choices) -> None:
    """Raise Unapproved unless none is demanded, or that of the job that starts the plan covers what it does."""
    if not is_demanded(access, definition, choices):
        return
    try:
        keys = {step.action for _number, step in chosen_steps(definition, choices)}
        if not all(requests.covering(access, job, key) for key in keys):
            raise Unapproved(_NEEDED)
    except NotUsable as lost:
        raise Unapproved(lost.reason) from None


def use(approval: ApprovalRequest | None, run: PlanRun) -> None:
    """Use the approval up for this run, whose steps it covers. Raises Unapproved if somebody else was quicker."""
    try:
        if approval:
            requests.use(approval, about=run.pk)
    except NotUsable as gone:
        raise Unapproved(gone.reason) from None


def require_unbound(run: PlanRun) -> None:
    """Raise Unapproved if the time of a run was approved: another time is another effect."""
    about = [run.pk, run.job_id]
    if ApprovalRequest.objects.filter(organization=run.organization, about__in=filter(None, about)).exists():
        raise Unapproved(_BOUND)


def _effects(access: OrgAccess, person: User, definition: Definition, choices: Choices, when: When | None) -> Effects:
    steps = [step for _number, step in chosen_steps(definition, choices)]
    chosen = [value for one in choices.values() for name, value in one.items() if name == "population_id" and value]
    fixed = [found for step in steps if (found := identifier(step.inputs.get("population_id", "")))]
    at = when.told if when else _("Now")
    reading = Reading(access.pingone(), person)
    lines = [{"title": english(format_lazy(_("Starts: {time}"), time=at)), "told": "", "detail": ""}]
    for (number, step), line in zip(
        definition.numbered(), _previewed(access, definition, reading, choices), strict=True
    ):
        if is_chosen(number, step, choices):  # nothing else would run
            lines.append(_as_shown(line, _in_words(choices.get(str(number)) or {}, reading)))
    return Effects(
        kind=Kind.PLAN,
        name=definition.name,
        needs=tuple(sorted({(step.action, str(step.of_catalogue.permission)) for step in steps})),
        subject=Subject(
            kind=AuditEntry.Subject.USER,
            id=person.id,
            name=person.username,
            full_name=person.name.whole,
            population_id=person.population_id,
        ),
        emails=(person.email,),
        populations=frozenset({str(person.population_id or ""), *map(str, chosen), *map(str, fixed)}),
        fields=frozenset(name for step in steps if step.of_catalogue.form.looks_at_schema for name in step.inputs),
        lines=tuple(lines),
        bound={
            "plan": definition.as_json(),
            "choices": choices,
            "lines": lines,
            "at": [when.at, when.local, when.zone] if when else None,
            "user": [person.username, person.email, person.population_id, person.enabled],
        },
    )


def _previewed(access: OrgAccess, definition: Definition, reading: Reading, choices: Choices) -> list[Line]:
    """Return the lines of the preview. Of a newcomer there is nothing to read: what is chosen says it all."""
    if not is_newcomer(reading.user):
        return preview(access, definition, reading, choices)
    return [Line(number=of, title=title_of(step), verdict=Verdict.RUNS) for of, step in definition.numbered()]


def _in_words(chosen: Mapping[str, Any], reading: Reading) -> list[Text]:
    """Return what was chosen for a step: names instead of IDs, where they are known."""
    told: list[Text] = []
    for name, value in chosen.items():
        if name == "population_id" and (population_id := identifier(value)):
            told.append(population_sync.name_of(reading.api.connection_id, population_id) or value)
        elif name == "device_id":
            told.append({str(one.id): device_name(one) for one in reading.devices}.get(value) or value)
        elif isinstance(value, Mapping):
            told += [f"{of}: {in_words(one)}" for of, one in value.items() if one]
        elif name != _TICKED:
            several = value if isinstance(value, list) else [value]
            told += [one["name"] if isinstance(one, Mapping) else str(one) for one in several if one]
    return told


def _as_shown(line: Line, chosen: list[Text]) -> dict[str, str]:
    told = Verdict.RUNS if line.verdict is Verdict.OPEN else line.verdict
    detail = "; ".join(english(one) for one in (*chosen, *line.names, *line.notes))
    return {"title": english(line.title), "told": english(VERDICTS[told]), "detail": detail}
