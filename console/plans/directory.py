"""What an org admin says of the directory: the attribute that names a user's manager, and the pattern of usernames."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.audit import entries
from console.audit.entries import Subject
from console.fields import TextField
from console.models import AuditEntry, Organization
from console.models.people import ManagerBy
from console.plans.usernames import EXAMPLE, HELP, LONGEST_PATTERN, check_pattern
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind


class DirectoryForm(forms.Form):
    """The settings, each with the name of its column."""

    manager_attribute = forms.ChoiceField(
        label=_("Attribute that names the manager"),
        required=False,
        help_text=_(
            "PingOne has no attribute for the manager. Only org admins may change the one that is chosen here, and a"
            " manager who was changed lately gets no email from a plan."
        ),
    )
    manager_by = forms.ChoiceField(label=_("What it holds"), choices=ManagerBy.choices)
    username_pattern = TextField(
        kind=Kind.ID,
        label=_("Pattern of usernames"),
        required=False,
        max_length=LONGEST_PATTERN,
        help_text=HELP,
        validators=[check_pattern],
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "placeholder": EXAMPLE}
        ),
    )

    def __init__(self, data: Any = None, *, organization: Organization, attributes: Iterable[Attribute] | None) -> None:
        super().__init__(data, initial=values_of(organization))
        choice = self.fields["manager_attribute"]
        choice.choices = list(_choices(organization, attributes or ()))  # type: ignore[attr-defined]


def _choices(organization: Organization, attributes: Iterable[Attribute]) -> Iterable[tuple[str, Text]]:
    """Return the organization's own texts. The present choice stays, also if PingOne does not answer."""
    fitting = {
        one.name: one.display_name
        for one in attributes
        if one.is_custom and one.enabled and one.type == "STRING" and not one.multi_valued and not one.allowed_values
    }
    if chosen := organization.manager_attribute:
        fitting.setdefault(chosen, chosen)
    return [("", _("None")), *fitting.items()]


def values_of(organization: Organization) -> dict[str, str]:
    return {name: str(getattr(organization, name)) for name in DirectoryForm.base_fields}


def change(access: OrgAccess, chosen: dict[str, str], *, source_address: str) -> bool:
    """Save the settings, on record. Return whether any has changed."""
    access.require(Permission.MANAGE_POLICIES)
    access.require_org_admin()
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=access.org.pk)
        before = values_of(organization)
        changed = [name for name in before if before[name] != chosen[name]]
        if not changed:
            return False
        for name in changed:
            setattr(organization, name, chosen[name])
        organization.save(update_fields=changed)
        entries.record(
            access.org,
            "organization.settings-changed",
            subject=Subject(kind=AuditEntry.Subject.POLICY, id=access.org.slug, name=access.org.name),
            operator=access.operator,
            source_address=source_address,
            before={name: before[name] for name in changed},
            after={name: chosen[name] for name in changed},
        )
    return True
