"""The role of an organization that a member has."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0018_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="custom_role",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="console.role"
            ),
        ),
    ]
