"""What an org admin sets for the emails to users: which events are told, and how long "this was not me" locks."""

from django.db import transaction
from django.forms import BooleanField, Form, IntegerField
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, Organization, UserMailSettings
from console.user_mails.events import CODE_SENT, EVENTS
from console.user_mails.tell import settings_of

LONGEST_LOCK_DAYS = 365  # an account lock ends within a year
CHOSEN = tuple(event for event in EVENTS if event is not CODE_SENT)  # without its email, a code would be of no use


class UserMailSettingsForm(Form):
    """One field for each event, and the days of a lock."""

    lock_days = IntegerField(
        label=_("Days that “this was not me” locks an account"),
        min_value=1,
        max_value=LONGEST_LOCK_DAYS,
        help_text=_("An operator can unlock it at any time."),
    )

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        for event in CHOSEN:
            self.fields[event.key] = BooleanField(label=str(event.label), required=False)
        self.order_fields([event.key for event in CHOSEN])


def values_of(organization: Organization) -> dict[str, bool | int]:
    settings = settings_of(organization)
    told: dict[str, bool | int] = {event.key: event.key not in settings.untold for event in CHOSEN}
    return told | {"lock_days": settings.lock_days}


def change(access: OrgAccess, chosen: dict[str, bool | int], *, source_address: str) -> bool:
    """Save the settings, on record. Return whether any has changed."""
    access.require(Permission.MANAGE_POLICIES)
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=access.org.pk)
        before = values_of(access.org)
        changed = [name for name in before if before[name] != chosen[name]]
        if not changed:
            return False
        untold = [event.key for event in CHOSEN if not chosen[event.key]]
        UserMailSettings.objects.update_or_create(
            organization=access.org, defaults={"untold": untold, "lock_days": chosen["lock_days"]}
        )
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
