"""Settings > Policies > Tickets: which actions ask for a ticket, the link to it, and the organization's settings."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.audit import entries
from console.kept_forms import restore
from console.models import AuditEntry, Organization, TicketPolicy
from console.policies.matrix import LABELS
from console.policies.organization_settings import OrganizationSettingsForm, values_of
from console.source_address import source_address
from console.tickets import TicketPolicyForm
from pingone_integration.texts import english


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def ticket_policies(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show one line for each action, and record each changed policy separately."""
    policies = _policies(access.org)
    is_sent = request.method == "POST"
    kept = None if is_sent else restore(request)
    if kept:
        messages.warning(request, str(kept.notice))
    data = request.POST if is_sent else kept.typed if kept else None
    forms = {
        key: TicketPolicyForm(data, prefix=key, initial={"requirement": policy.requirement, "pattern": policy.pattern})
        for key, policy in policies.items()
    }
    settings = OrganizationSettingsForm(data, initial=values_of(access.org))
    valid = [form.is_valid() for form in (settings, *forms.values())]  # each shows its errors
    if is_sent and all(valid):
        with transaction.atomic():
            Organization.objects.select_for_update().get(pk=access.org.pk)
            changed = [_save_settings(request, access, settings), _save(request, access, forms)]
        messages.success(request, _("Policies saved.") if any(changed) else _("Nothing was changed."))
        return redirect("ticket-policies", access.org.slug)
    context = {"settings": settings, "lines": [(LABELS[key], form) for key, form in forms.items()]}
    return render(request, "console/policies/tickets.html", context, status=422 if is_sent else 200)


def _policies(organization: Organization) -> dict[str, TicketPolicy]:
    """Return the policies by action, in the catalogue's order."""
    known = {policy.action: policy for policy in TicketPolicy.objects.filter(organization=organization)}
    return {key: known.get(key) or TicketPolicy(organization=organization, action=key) for key in LABELS}


def _save_settings(request: ConsoleRequest, access: OrgAccess, form: OrganizationSettingsForm) -> bool:
    """Save the organization's settings and return whether any has changed."""
    before, after = values_of(access.org), form.cleaned_data
    changed = [name for name in before if before[name] != after[name]]
    if not changed:
        return False
    Organization.objects.filter(pk=access.org.pk).update(**{name: after[name] for name in changed})
    entries.record(
        access.org,
        "organization.settings-changed",
        subject=entries.Subject(kind=AuditEntry.Subject.POLICY, id=access.org.slug, name=access.org.name),
        operator=access.operator,
        source_address=source_address(request),
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    return True


def _save(request: ConsoleRequest, access: OrgAccess, forms: dict[str, TicketPolicyForm]) -> bool:
    """Save the policies and return whether any has changed."""
    changed = False
    for key, policy in _policies(access.org).items():
        before, after = _values(policy), _values_of(forms[key])
        if before == after:
            continue
        TicketPolicy.objects.update_or_create(organization=access.org, action=key, defaults=after)
        entries.record(
            access.org,
            "policy.changed",
            subject=entries.Subject(kind=AuditEntry.Subject.POLICY, id=key, name=f"Ticket: {english(LABELS[key])}"),
            operator=access.operator,
            source_address=source_address(request),
            before=before,
            after=after,
        )
        changed = True
    return changed


def _values(policy: TicketPolicy) -> dict[str, str]:
    return {"requirement": str(policy.requirement), "pattern": policy.pattern}


def _values_of(form: TicketPolicyForm) -> dict[str, str]:
    """Return the values to store. A pattern that the requirement does not use is dropped."""
    requirement = form.cleaned_data["requirement"]
    has_pattern = requirement == TicketPolicy.Requirement.PATTERN
    return {"requirement": requirement, "pattern": form.cleaned_data["pattern"] if has_pattern else ""}
