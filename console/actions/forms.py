"""The forms of actions. A form validates and normalizes, and carries the idempotency key; it does not call PingOne."""

from copy import copy
from datetime import datetime
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.limits import NO_LIMITS, Limits
from console.fields import IdField, MultilineField, TextField
from console.models import TicketPolicy
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind, as_read, clean
from pingone_integration.users import User


class ActionForm(forms.Form):
    """The fields of every action besides its own inputs: the reason, and the submission (one press of a button).

    A field has the name of its argument in the PingOne call; `inputs()` returns the arguments.
    """

    ticket = TextField(kind=Kind.ID, label=_("Ticket"), required=False, max_length=100)
    reason: TextField = MultilineField(
        label=_("Reason"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    submission = IdField(widget=forms.HiddenInput)

    COMMON: ClassVar[tuple[str, ...]] = ("ticket", "reason", "submission")
    takes_parts: ClassVar[bool] = False  # True: a field that is not sent stays unchanged
    looks_at_user: ClassVar[bool] = False  # True: the check needs the user's current state at PingOne
    looks_at_schema: ClassVar[bool] = False  # True: takes `attributes`, the environment's user attributes

    def __init__(
        self,
        data: Any = None,
        *,
        policy: TicketPolicy | None = None,
        limits: Limits = NO_LIMITS,
        user: User | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        """Set up the fields.

        Without `policy` the ticket is optional. `limits` are this operator's, `user` is the user at PingOne, if read.
        """
        super().__init__(data, initial={"submission": uuid4()} | (initial or {}))
        self.notes: list[Text] = []  # on values that had to be changed, to be shown once they are saved
        self.policy = policy
        self.limits = limits
        self.user = user
        if policy and policy.is_required:
            self.fields["ticket"].required = True
            self.fields["ticket"].help_text = str(policy.announced)
        if limits.needs_reason:
            self.fields["reason"].required = True
        self.order_fields([name for name in self.fields if name not in self.COMMON] + list(self.COMMON))

    def clean_ticket(self) -> str:
        ticket = str(self.cleaned_data["ticket"])
        if self.policy and (problem := self.policy.problem_with(ticket)):
            raise forms.ValidationError(str(problem))
        return ticket

    def inputs(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in self.COMMON}

    def renew(self) -> None:
        """Change the submission, so that the next press of the button is a new attempt: the last one did not finish."""
        data: Any = copy(self.data)  # the copy of a request's data is mutable
        data["submission"] = str(uuid4())
        self.data = data

    def shown_inputs(self) -> list[str]:
        """Return the fields that this form instance asks the operator to fill in."""
        return [name for name, field in self.fields.items() if name not in self.COMMON and not field.widget.is_hidden]

    @classmethod
    def visible_inputs(cls) -> list[str]:
        """Return the fields that this action asks the operator to fill in."""
        asked = {name: field for name, field in cls.base_fields.items() if name not in cls.COMMON}
        return [name for name, field in asked.items() if not field.widget.is_hidden]

    @classmethod
    def id_fields(cls) -> list[str]:
        """Return the inputs that are IDs of PingOne objects: a device, a group, a population."""
        ids = {name for name, field in cls.base_fields.items() if isinstance(field, forms.UUIDField)}
        return sorted(ids - set(cls.COMMON))

    def differences(self) -> list[Any]:
        """Return the values to choose between if the user changed after the form was opened. Most forms have none."""
        return []


class NoInput(ActionForm):
    """The form of an action that needs no more than a press of its button."""


def _in_time_zone() -> str:
    """Return the time zone of the form. UTC may be the operator's own, or stands in for an unknown one."""
    zone = timezone.get_current_timezone_name()
    return str(_("Time in UTC.")) if zone == "UTC" else str(_("Your time ({zone}).")).format(zone=zone)


class UntilForm(ActionForm):
    until = forms.DateTimeField(
        label=_("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=lazy(_in_time_zone, str)(),
    )

    def __init__(self, data: Any = None, **more: Any) -> None:
        super().__init__(data, **more)
        field = self.fields["until"]
        if self.limits.longest:
            field.help_text = format_lazy("{} {}", field.help_text, self.limits.within)

    def clean_until(self) -> datetime:
        until: datetime = self.cleaned_data["until"]
        if until <= timezone.now():
            raise forms.ValidationError(_("Choose a time in the future."))
        if self.limits.longest and until > timezone.now() + self.limits.longest:
            raise forms.ValidationError(str(self.limits.within))
        return until


class PopulationForm(ActionForm):
    population_id = IdField(label=_("Population"), widget=forms.Select)


class GroupForm(ActionForm):
    group_id = IdField(label=_("Group"), widget=forms.Select)


class MembershipForm(ActionForm):
    group_id = IdField(widget=forms.HiddenInput)


class DeviceForm(ActionForm):
    device_id = IdField(widget=forms.HiddenInput)


class RenameDeviceForm(DeviceForm):
    nickname = TextField(label=_("Nickname"), max_length=100)


class SessionForm(ActionForm):
    session_id = IdField(widget=forms.HiddenInput)


class DeleteUserForm(ActionForm):
    """The username, typed again, so that no user is deleted by mistake."""

    looks_at_user = True

    username = TextField(
        label=_("Type the username to confirm"),
        max_length=1000,  # enough for any username at PingOne
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, user: User | None = None, **more: Any) -> None:
        super().__init__(data, user=user, **more)
        if user:
            shown = format_html("<strong><bdi>{}</bdi></strong>", user.username)
            self.fields["username"].label = format_html(str(_("Type {username} to confirm")), username=shown)

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        asked = as_read(self.user.username) if self.user else None
        if asked not in {as_read(username), as_read(clean(username, Kind.ID))}:
            raise forms.ValidationError(_("This is not the username of this user."))
        return username

    def inputs(self) -> dict[str, Any]:
        return {}


class SubmissionForm(forms.Form):
    """The form of a button that needs only one press."""

    submission = IdField()
