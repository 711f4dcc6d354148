"""The organization's time zone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0045_onboard"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="time_zone",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
