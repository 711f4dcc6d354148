"""One open run for each new username: the user whom it creates has no ID yet."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0044_crawls_and_rules"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="planrun",
            constraint=models.UniqueConstraint(
                models.F("organization"),
                django.db.models.functions.text.Lower("person_name"),
                condition=models.Q(("person_id", None), ("state__in", ("scheduled", "running", "waiting", "stopped"))),
                name="plan_run_one_open_per_newcomer",
            ),
        ),
    ]
