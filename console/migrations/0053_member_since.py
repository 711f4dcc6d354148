"""Since when each member has their role, from what is on record: 0049 knew only its own time.

Without it, nobody could approve anything for a day after an upgrade. Who was added, got another role, sees other
populations or was reactivated since then, is on record with the time, in every version; the account that bootstrap made is as
old as its membership. So nobody who came just before the upgrade seems to have been there for long.
"""

from typing import Any

import django.utils.timezone
from django.db import migrations, models
from django.db.models import Max
from django.db.models.functions import Now

EVENTS = ("membership.added", "membership.role-changed", "membership.populations-changed", "membership.reactivated")


def take_from_record(apps: Any, schema_editor: Any) -> None:
    """Set since when each member has what they have. Can be run again."""
    entries = apps.get_model("console", "AuditEntry").objects.filter(action__in=EVENTS, outcome="succeeded")
    memberships = apps.get_model("console", "Membership").objects
    for one in memberships.select_related("operator"):
        theirs = entries.filter(organization_id=one.organization_id, subject_id=str(one.operator_id))
        latest = theirs.aggregate(latest=Max("at"))["latest"]
        since = max(filter(None, (latest, one.operator.date_joined)))
        memberships.filter(pk=one.pk).update(since=since)


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0052_password_policy"),
    ]

    operations = [
        migrations.AlterField(
            model_name="membership",
            name="since",
            field=models.DateTimeField(db_default=Now(), default=django.utils.timezone.now, editable=False, null=True),
        ),
        migrations.RunPython(take_from_record, migrations.RunPython.noop, elidable=True),
    ]
