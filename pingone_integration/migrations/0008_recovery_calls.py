"""The calls of recovery, counted apart."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pingone_integration", "0007_ending_and_failing_calls"),
    ]

    operations = [
        migrations.AddField(
            model_name="callwindow",
            name="recovering",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
