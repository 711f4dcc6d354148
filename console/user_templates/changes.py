"""Changes of templates: by org admins, on record with before and after."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, Organization, UserTemplate
from pingone_integration.texts import Text


class NotPossible(Exception):
    """A change of a template that must not be made. The reason says why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a template says."""

    name: str
    groups: list[dict[str, str]]
    fields: dict[str, Any]
    population_id: UUID | None
    population_name: str


def create(access: OrgAccess, content: Content, *, source_address: str) -> UserTemplate:
    with _alone(access):
        made = UserTemplate.objects.create(organization=access.org, **vars(content))
        _record(access, "template.created", made, source_address, after=_on_record(made))
    return made


def change(access: OrgAccess, saved: UserTemplate, content: Content, *, seen: str, source_address: str) -> bool:
    """Save a template and return whether anything changed. `seen`: when it had last changed, as the page showed.

    Raises NotPossible.
    """
    with _alone(access):
        now = _current(access, saved)
        if now.changed_at.isoformat() != seen:
            raise NotPossible(_("Someone else changed this template meanwhile. Open it again."))
        before = _on_record(now)
        for name, value in vars(content).items():
            setattr(now, name, value)
        after = _on_record(now)
        if before == after:
            return False
        now.changed_at = timezone.now()
        now.save()
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        _record(
            access,
            "template.changed",
            now,
            source_address,
            before={name: before.get(name, "") for name in changed},
            after={name: after.get(name, "") for name in changed},
        )
    return True


def delete(access: OrgAccess, saved: UserTemplate, *, source_address: str) -> None:
    """Delete a template. Plans that have started with it go on as they were started. Raises NotPossible."""
    with _alone(access):
        now = _current(access, saved)
        _record(access, "template.deleted", now, source_address, before=_on_record(now))
        now.delete()


@contextmanager
def _alone(access: OrgAccess) -> Iterator[None]:
    """Let one org admin at a time change templates of the organization."""
    access.require(Permission.MANAGE_POLICIES)
    access.require_org_admin()
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=access.org.pk)
        yield


def _current(access: OrgAccess, saved: UserTemplate) -> UserTemplate:
    found = UserTemplate.objects.filter(organization=access.org, pk=saved.pk).first()
    if found is None:
        raise NotPossible(_("This template no longer exists."))
    return found


def _on_record(template: UserTemplate) -> dict[str, Any]:
    groups = sorted((one["name"], one["id"]) for one in template.groups)
    return {
        "name": template.name,
        "population": template.population_name or "any",
        "groups": ", ".join(f"{name} ({group_id})" for name, group_id in groups) or "none",
        **template.fields,
    }


def _record(access: OrgAccess, event: str, template: UserTemplate, source_address: str, **values: Any) -> None:
    entries.record(
        access.org,
        event,
        subject=Subject(kind=AuditEntry.Subject.POLICY, id=template.pk, name=f"Template: {template.name}"),
        operator=access.operator,
        source_address=source_address,
        **values,
    )
