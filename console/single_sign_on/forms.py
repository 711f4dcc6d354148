"""The form that maps a group of the provider to a role."""

from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from console.operators.forms import RoleForm
from pingone_integration.openid_connect.identity import LONGEST


class MappedGroupForm(RoleForm):
    group = TextField(
        label=_("Group"), max_length=LONGEST, help_text=_("Exactly as the provider writes it in the groups claim.")
    )
    field_order = ("group", "role")
