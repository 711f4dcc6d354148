"""The forms for an organization's members and their roles."""

from collections.abc import Iterable
from typing import Any

from django.forms import ChoiceField, Form
from django.utils.translation import gettext_lazy as _

from console.fields import EmailField, TextField
from console.models import Membership, Role


class RoleForm(Form):
    """The role of a member, by key: a built-in one, or one of the organization's own."""

    role = ChoiceField(label=_("Role"))

    def __init__(self, data: Any = None, *, roles: Iterable[Role], **more: Any) -> None:
        super().__init__(data, **more)
        own = [(role.key, role.name) for role in roles]
        self.fields["role"].choices = [*Membership.Role.choices, *own]  # type: ignore[attr-defined]


class MemberForm(RoleForm):
    """A person to add to an organization."""

    email = EmailField(label=_("Email"), max_length=254)
    name = TextField(label=_("Name"), required=False, max_length=150)
    field_order = ("email", "name", "role")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()
