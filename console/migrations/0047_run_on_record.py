"""The run of a plan that an entry of the audit log belongs to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0046_many_plans"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="run",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("run__isnull", False)),
                fields=["organization", "run", "sequence"],
                name="audit_by_run",
            ),
        ),
    ]
