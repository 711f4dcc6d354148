"""Plans as files in a terminal: export, and import as a new plan or as the next version of one."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from console.access import OrgAccess
from console.management.options import identifier
from console.management.pingone import options
from console.management.pingone.terminal import FAILED, INVALID, Terminal
from console.plans.definition import InvalidPlan, read
from console.plans.editing import changes, plan_file, references
from console.plans.editing.changes import NotSaved
from console.plans.editing.examined import examined
from console.plans.editing.listed import version_or_404
from pingone_integration.texts import english


def add(doings: Any) -> None:
    exported = doings.add_parser("export", help="print a plan as JSON")
    exported.add_argument("plan", type=identifier, metavar="PLAN", help="the plan's ID")
    exported.add_argument("--version", default="", type=identifier, metavar="NUMBER", help="the newest by default")
    exported.set_defaults(run=_export)
    options.add_common(exported)
    imported = doings.add_parser("import", help="save a plan from JSON")
    imported.add_argument("--file", required=True, metavar="FILE", help="JSON, as export prints it; - reads stdin")
    imported.add_argument("--replace", action="store_true", help="save it as the next version of the plan with its ID")
    imported.set_defaults(run=_import)
    options.add_common(imported)


def _export(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    changes.require_editor(access)
    said, _version = version_or_404(access, given["plan"], given["version"])
    try:
        definition = read(said)
    except InvalidPlan as invalid:
        raise CommandError(_problems(invalid), returncode=FAILED) from invalid
    terminal.out.write(plan_file.written(definition, references.looked_up(access, definition).names), ending="")


def _import(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    changes.require_editor(access)
    try:
        file = plan_file.read_file(options.content("--file", given["file"]))
        definition = examined(access, file.said, told=file.names)
        if given["replace"]:
            seen = changes.own_or_404(access, definition.id).number
            version = changes.change(access, definition.id, definition, seen=seen)
        else:
            version = changes.create(access, definition)
    except InvalidPlan as invalid:
        raise CommandError(_problems(invalid), returncode=INVALID) from invalid
    except NotSaved as refusal:
        terminal.end(FAILED, "refused", english(refusal.reason))
    told = {"plan": definition.id, "version": version.number if version else None}
    page = settings.PUBLIC_URL + reverse("plan", args=[access.org.slug, definition.id])
    if terminal.as_json:
        terminal.json(told | {"page": page})
    else:
        terminal.lines([f"Saved {definition.id}, version {version.number}: {page}" if version else "Nothing differs."])


def _problems(invalid: InvalidPlan) -> str:
    return "\n".join(english(problem.told) for problem in invalid.problems)
