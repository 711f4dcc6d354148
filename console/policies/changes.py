"""Changes of roles: shown before they are saved, checked, and on record with before and after."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.http import QueryDict
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console.access import OrgAccess, Permission
from console.audit import entries
from console.models import AuditEntry, Membership, Organization, Role
from console.policies.matrix import DEMAND_LABELS, FIELD_LABELS, LABELS, PAGE_RIGHTS, RoleOnPage, role_of, roles_of
from console.rights.permissions import OF_EVERYBODY
from console.rights.roles import DEMANDS, Rights
from pingone_integration.texts import Text, english

_ALL_FIELDS = "all"


class NotPossible(Exception):
    """A change of a role that must not be made. The reason says why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


def rights_in(data: QueryDict) -> Rights:
    """Return the rights that a role's form was sent with. What it does not know is left out."""
    allowed = [key for key in LABELS if f"may.{key}" in data]
    fields = frozenset(data.getlist("fields")) & FIELD_LABELS.keys()
    return Rights(
        pages=OF_EVERYBODY | (PAGE_RIGHTS.keys() & set(data.getlist("pages"))),
        actions={key: frozenset(data.getlist(f"demands.{key}")).intersection(DEMANDS) for key in allowed},
        fields=None if data.get("which_fields") == _ALL_FIELDS else fields,
    )


def effects(role: RoleOnPage, after: Rights) -> list[Text]:
    """Return what a change does to the members of a role, in sentences. Empty if it changes nothing."""
    before, told = role.rights, []
    labels: dict[str, Text] = {**LABELS, **{str(permission): label for permission, label in PAGE_RIGHTS.items()}}
    had, have = _what(before), _what(after)
    count = len(role.members)
    told += [_sentence(_LOSE, count, what=labels[key]) for key in labels if key in had - have]
    told += [_sentence(_GAIN, count, what=labels[key]) for key in labels if key in have - had]
    for key in after.actions.keys() & before.actions.keys():
        for demand, label in DEMAND_LABELS.items():
            was, will_be = demand in before.demands(key), demand in after.demands(key)
            if was != will_be:
                told.append(format_lazy(_MORE if will_be else _LESS, action=LABELS[key], demand=label))
    told += [_sentence(_LOSE_FIELD, count, what=label) for label in _fields_lost(before, after)]
    told += [_sentence(_GAIN_FIELD, count, what=label) for label in _fields_lost(after, before)]
    return told


_LOSE = ngettext_lazy("{count} member loses: {what}", "{count} members lose: {what}", "count")
_GAIN = ngettext_lazy("{count} member gains: {what}", "{count} members gain: {what}", "count")
_LOSE_FIELD = ngettext_lazy(
    "{count} member can no longer edit: {what}", "{count} members can no longer edit: {what}", "count"
)
_GAIN_FIELD = ngettext_lazy("{count} member can now edit: {what}", "{count} members can now edit: {what}", "count")
_MORE = _("{action}: from now on with {demand}")
_LESS = _("{action}: from now on without {demand}")


def _sentence(text: Any, count: int, *, what: Text) -> Text:
    return format_lazy("{}", text.format(count=count, what=what))


def _what(rights: Rights) -> set[str]:
    return {*rights.actions, *rights.pages}


def _fields_lost(before: Rights, after: Rights) -> list[Text]:
    return [label for name, label in FIELD_LABELS.items() if before.may_edit(name) and not after.may_edit(name)]


def change(access: OrgAccess, key: str, after: Rights, *, seen: dict[str, Any], source_address: str) -> bool:
    """Save a role's new rights and return whether anything changed. `seen` are its rights as stored, on the page.

    Raises NotPossible.
    """
    with _role(access, key) as role:
        if not role.may_be_edited:
            raise NotPossible(_("Org admins can do everything. This cannot be changed."))
        if role.rights.stored() != seen:
            raise NotPossible(_("Someone else changed this role meanwhile. Look at the changes again."))
        _check_covered(access, role.rights, after)
        if after.stored() == role.rights.stored():
            return False
        if role.own:
            role.own.rights = after.stored()
            role.own.save(update_fields=["rights"])
        else:
            organization = Organization.objects.get(pk=access.org.pk)
            organization.role_overrides = organization.role_overrides | {key: after.stored()}
            organization.save(update_fields=["role_overrides"])
        before, now = on_record(role.rights), on_record(after)
        changed = [name for name in before.keys() | now.keys() if before.get(name) != now.get(name)]
        _record(
            access,
            "role.changed",
            role,
            source_address,
            before={name: before.get(name, "not allowed") for name in sorted(changed)},
            after={name: now.get(name, "not allowed") for name in sorted(changed)},
        )
    return True


def on_record(rights: Rights) -> dict[str, str]:
    """Return the rights as an entry of the audit log keeps them."""
    kept = {key: ", ".join(["allowed", *sorted(demands)]) for key, demands in rights.actions.items()}
    kept |= {str(permission): "allowed" for permission in rights.pages}
    return kept | {"fields": "all" if rights.fields is None else ", ".join(sorted(rights.fields)) or "none"}


def copy(access: OrgAccess, key: str, name: str, *, source_address: str) -> Role:
    """Make a role of the organization's own out of another. Raises NotPossible."""
    with _role(access, key) as role:
        _check_covered(access, role.rights)
        _check_name(access, name)
        is_admin = role.base == Membership.Role.ORG_ADMIN
        made = Role.objects.create(
            organization=access.org,
            key=_free_key(access, name),
            name=name,
            base=Membership.Role.HELPDESK_AGENT if is_admin else role.base,
            rights=role.rights.stored(),
        )
        after = {"name": name, "copied_from": role.key}
        _record(access, "role.created", _on_page(made), source_address, after=after)
    return made


def rename(access: OrgAccess, key: str, name: str, *, source_address: str) -> None:
    """Rename a role of the organization's own. Raises NotPossible."""
    with _role(access, key) as role:
        own = _own(role)
        if own.name == name:
            return
        _check_name(access, name, but=own)
        Role.objects.filter(pk=own.pk).update(name=name)
        _record(access, "role.renamed", role, source_address, before={"name": own.name}, after={"name": name})


def delete(access: OrgAccess, key: str, *, source_address: str) -> None:
    """Delete a role that no member has. Raises NotPossible."""
    with _role(access, key) as role:
        try:
            _own(role).delete()
        except ProtectedError:
            raise NotPossible(_("Members have this role. Give them another one first.")) from None
        _record(access, "role.deleted", role, source_address, before=on_record(role.rights))


@contextmanager
def _role(access: OrgAccess, key: str) -> Iterator[RoleOnPage]:
    """Lock the organization and yield the role as it is now. Raises NotPossible if there is none."""
    access.require(Permission.MANAGE_POLICIES)
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=access.org.pk)
        role = role_of(organization, key)
        if role is None:
            raise NotPossible(_("This role no longer exists."))
        yield role


def _own(role: RoleOnPage) -> Role:
    if role.own is None:
        raise NotPossible(_("Built-in roles keep their name and cannot be deleted."))
    return role.own


def _check_covered(access: OrgAccess, *rights: Rights) -> None:
    if not all(access.rights.covers(one) for one in rights):
        raise NotPossible(_("This role has rights that you do not have. Ask an org admin."))


def _check_name(access: OrgAccess, name: str, *, but: Role | None = None) -> None:
    taken = {str(role.name).casefold() for role in roles_of(access.org) if role.own is None or role.own != but}
    if name.casefold() in taken:
        raise NotPossible(_("There is a role with this name. Choose another one."))


def _free_key(access: OrgAccess, name: str) -> str:
    wanted = slugify(name)[:60] or "role"
    taken = {role.key for role in roles_of(access.org)} | set(Membership.Role.values)
    return next(
        key for key in (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3))) if key not in taken
    )


def _on_page(role: Role) -> RoleOnPage:
    return RoleOnPage(key=role.key, name=role.name, base=role.base, rights=Rights.read(role.rights), own=role)


def _record(access: OrgAccess, event: str, role: RoleOnPage, source_address: str, **values: Any) -> None:
    entries.record(
        access.org,
        event,
        subject=entries.Subject(kind=AuditEntry.Subject.POLICY, id=role.key, name=f"Role: {english(role.name)}"),
        operator=access.operator,
        source_address=source_address,
        **values,
    )
