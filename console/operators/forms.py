"""The forms for an organization's members and their roles."""

from django.forms import Form, TypedChoiceField
from django.utils.translation import gettext_lazy as _

from console.fields import EmailField, TextField
from console.models import Membership


class RoleForm(Form):
    """The role of a member."""

    role = TypedChoiceField(label=_("Role"), choices=Membership.Role, coerce=Membership.Role)


class MemberForm(RoleForm):
    """A person to add to an organization."""

    email = EmailField(label=_("Email"), max_length=254)
    name = TextField(label=_("Name"), required=False, max_length=150)
    field_order = ("email", "name", "role")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()
