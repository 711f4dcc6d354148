"""The forms of the Call API page, which check a request before anything is sent."""

import json
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from django.core.exceptions import ValidationError
from django.forms import ChoiceField, Form, Textarea, TextInput
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.forms import ActionForm
from console.audit.api_requests import LEFT_OUT
from console.call_api.api_call import ApiCall
from console.fields import TextField
from pingone_integration.calls.any_endpoint import (
    LONGEST_QUERY,
    MEDIA_TYPES,
    METHODS,
    Endpoint,
    UnsafePath,
    parse_endpoint,
    parse_media_type,
    parse_query,
)
from pingone_integration.typed.text import Kind

LONGEST_BODY = 500_000
_AS_TYPED = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class CallApiForm(Form):
    """One request. If it is valid, `call` is its `ApiCall`."""

    method = ChoiceField(label=_("Method"), choices=[(method, method) for method in METHODS])
    path = TextField(
        kind=Kind.CODE,
        label=_("Path"),
        max_length=1000,
        widget=TextInput(attrs={**_AS_TYPED, "list": "suggested-paths", "placeholder": "/users"}),
        help_text=_("A path in the managed environment. A full path with this environment's ID works too."),
    )
    query = TextField(
        kind=Kind.VERBATIM,
        label=_("Query"),
        required=False,
        max_length=LONGEST_QUERY,
        widget=TextInput(attrs={**_AS_TYPED, "placeholder": "limit=25&expand=population"}),
    )
    media_type = TextField(
        kind=Kind.ID,
        label=_("Content type"),
        required=False,
        max_length=200,
        widget=TextInput(attrs={**_AS_TYPED, "list": "media-types", "placeholder": MEDIA_TYPES[0]}),
        help_text=_("Some operations need their own content type. See PingOne's documentation."),
    )
    body = TextField(
        kind=Kind.VERBATIM,
        label=_("Body"),
        required=False,
        max_length=LONGEST_BODY,
        widget=Textarea(attrs={**_AS_TYPED, "rows": 8, "class": "font-monospace"}),
        help_text=_("JSON, or leave empty. GET and HEAD send no body."),
    )

    def __init__(self, *args: Any, environment_id: UUID, to_send: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environment_id = environment_id
        self.to_send = to_send  # a request with values left out can be saved, but not sent

    @property
    def call(self) -> ApiCall:
        values = self.cleaned_data
        return ApiCall(
            method=values["method"],
            endpoint=values["endpoint"],
            media_type=values["media_type"],
            body=values["body"],
        )

    def clean_path(self) -> str:
        typed: str = self.cleaned_data["path"]
        try:
            self.cleaned_data["endpoint"] = parse_endpoint(typed, environment_id=self.environment_id)
        except UnsafePath as reason:
            raise ValidationError(str(reason)) from reason
        return typed

    def clean_query(self) -> str:
        typed: str = self.cleaned_data["query"]
        self._require_all_values(unquote_plus(typed))
        try:
            more = parse_query(typed)
        except UnsafePath as reason:
            raise ValidationError(str(reason)) from reason
        endpoint: Endpoint | None = self.cleaned_data.get("endpoint")
        if endpoint:
            self.cleaned_data["endpoint"] = Endpoint(path=endpoint.path, query=(*endpoint.query, *more))
        return typed

    def _require_all_values(self, typed: str) -> None:
        if self.to_send and LEFT_OUT in typed:
            told = format_lazy(_("Fill in the values that are marked {mark}: they were not saved."), mark=LEFT_OUT)
            raise ValidationError(told)

    def clean_media_type(self) -> str:
        try:
            return parse_media_type(self.cleaned_data["media_type"] or MEDIA_TYPES[0])
        except UnsafePath as reason:
            raise ValidationError(str(reason)) from reason

    def clean_body(self) -> str:
        typed: str = self.cleaned_data["body"]
        if not typed:
            return ""
        self._require_all_values(typed)
        try:
            json.loads(typed)
        except json.JSONDecodeError as wrong:
            told = format_lazy(
                _("This is not valid JSON: {problem} at line {line}, column {column}."),
                problem=wrong.msg,
                line=wrong.lineno,
                column=wrong.colno,
            )
            raise ValidationError(told) from wrong
        except RecursionError:
            raise ValidationError(_("This JSON is nested too deeply for PingOne.")) from None
        except ValueError:  # Python refuses integers of more than 4300 digits
            raise ValidationError(_("This JSON has a number that is too long for PingOne.")) from None
        return typed


class SendWriteForm(ActionForm):
    """The confirmation of a request that may change something. Its reason is required."""

    reason = TextField(
        label=_("Reason"),
        max_length=1000,
        widget=TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Saved in the audit log with the request."),
    )


class SaveCallForm(Form):
    """The name under which a request is saved."""

    name = TextField(label=_("Name"), max_length=100, widget=TextInput(attrs={"autocomplete": "off"}))
