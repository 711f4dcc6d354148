from django.db import migrations, models

OUTCOMES = [
    ("started", "started"),
    ("succeeded", "succeeded"),
    ("no change", "no change"),
    ("conflict", "conflict"),
    ("refused", "refused"),
    ("failed", "failed"),
    ("unknown", "unknown"),
]


class Migration(migrations.Migration):
    """The hash of a row leaves out what is empty, so that older rows, without an actor, stay true."""

    dependencies = [("console", "0006_unfinished_audit_entries")]

    operations = [
        migrations.AddField(
            "auditentry",
            "actor",
            models.CharField(blank=True, choices=[("operator", "operator")], default="", max_length=12),
            preserve_default=False,
        ),
        migrations.AlterField("auditentry", "outcome", models.CharField(choices=OUTCOMES, max_length=10)),
    ]
