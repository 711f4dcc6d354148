"""The operating system's user behind a command, beside the operator."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0026_people_lists"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="system_user",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
