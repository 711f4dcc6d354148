"""The control page of fault injection: current faults, possible faults, and one button to end all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django import forms
from django.core.validators import RegexValidator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from pingone_integration.sandbox.faults import effects
from pingone_integration.sandbox.faults.changes import CHANGES, NoOptions, change, mend
from pingone_integration.sandbox.faults.effects import EFFECTS, Effect
from pingone_integration.sandbox.models import Fault, WorldChange
from pingone_integration.sandbox.pages import plain


def _group(title: str, group: dict[str, Effect]) -> tuple[str, list[tuple[str, str]]]:
    return title, [(name, effect.label) for name, effect in group.items()]


class FaultForm(forms.Form):
    effect = forms.ChoiceField(
        label="What happens",
        choices=[
            _group("Connection", effects.ON_THE_WIRE),
            _group("Error", effects.STATUSES),
            _group("Body", effects.BODIES),
            _group("Only at the token endpoint", effects.OAUTH_ERRORS),
        ],
    )
    on = forms.ChoiceField(label="Where", choices=Fault.Part.choices)
    path = forms.CharField(
        label="Only if the path contains",
        help_text="/users, an ID, or empty: all paths",
        max_length=200,
        required=False,
    )
    methods = forms.CharField(
        label="Only these methods", help_text="POST, PUT, or empty: all methods", max_length=60, required=False
    )
    seconds = forms.FloatField(
        min_value=0,
        max_value=600,
        initial=5,
        help_text="How long a late, hanging or slow response takes",
        required=False,
    )
    retry_after = forms.CharField(
        label="Retry-After",
        help_text="Seconds or an HTTP date, sent with an error status. Empty: no Retry-After",
        validators=[RegexValidator(r"\A[\x20-\x7e]*\Z", "Printable ASCII only.")],
        max_length=60,
        required=False,
    )
    times = forms.IntegerField(min_value=1, help_text="How many requests. Empty: until you fix it", required=False)

    def clean_methods(self) -> str:
        return ",".join(method.strip().upper() for method in self.cleaned_data["methods"].split(",") if method.strip())

    def clean_seconds(self) -> float:
        return self.cleaned_data["seconds"] or 0.0

    def clean(self) -> None:
        effect, part = EFFECTS.get(self.cleaned_data.get("effect", "")), self.cleaned_data.get("on")
        if effect and part and part not in effect.parts:
            self.add_error("on", "This only happens at the token endpoint.")


def stop() -> None:
    """Reset every connection. Deletes earlier faults, because the first match would win."""
    with transaction.atomic():
        Fault.objects.all().delete()
        Fault.objects.create(effect="reset", on=Fault.Part.ALL)


def _in_words(fault: Fault) -> str:
    """Return where and how often the fault happens."""
    words = [fault.get_on_display()]
    if fault.path:
        words.append(f"paths with {fault.path}")
    if fault.methods:
        words.append(f"{fault.methods} only")
    if EFFECTS[fault.effect].waits:
        words.append(f"{fault.seconds:g} s")
    if fault.retry_after:
        words.append(f"Retry-After {fault.retry_after}")
    if fault.times is not None:
        words.append(f"{fault.times} more time{'' if fault.times == 1 else 's'}" if fault.times else "used up")
    return ", ".join(words)


@dataclass(frozen=True)
class Control:
    """A form of the page, and its action: act(**the form's cleaned data)."""

    act: Callable[..., object]
    form: type[forms.Form] = NoOptions


CONTROLS = {
    "fault": Control(Fault.objects.create, FaultForm),
    "stop": Control(stop),
    "mend": Control(mend),
    **{name: Control(partial(change, name), entry.form) for name, entry in CHANGES.items()},
}


@require_http_methods(["GET", "HEAD", "POST"])
def control_page(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    name = request.POST.get("control", "")
    if name not in CONTROLS:
        return HttpResponseBadRequest("Unknown control.", content_type="text/plain")
    form = _form(name, request.POST)
    if not form.is_valid():
        return _page(request, {name: form}, status=422)
    CONTROLS[name].act(**form.cleaned_data)
    return HttpResponseRedirect(reverse("faults"))


def _form(name: str, data: QueryDict | None = None) -> forms.Form:
    return CONTROLS[name].form(data, auto_id=f"{name}-%s", label_suffix="")


def _page(request: HttpRequest, sent: dict[str, forms.Form] | None = None, *, status: int = 200) -> HttpResponse:
    """Render the page. `sent` replaces an empty form with a refused form."""
    all_forms = {name: _form(name) for name in CONTROLS} | (sent or {})
    context = {
        "refused": bool(sent),
        "faults": [(EFFECTS[fault.effect].label, _in_words(fault)) for fault in Fault.objects.all()],
        "changes_made": WorldChange.objects.all(),
        "fault_form": all_forms["fault"],
        "changes": [(name, entry, all_forms[name]) for name, entry in CHANGES.items()],
    }
    return plain(render(request, "sandbox/faults.html", context, status=status))
