"""Jobs that start a plan for each row, and runs that an org admin let pass the brake with their job."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0047_run_on_record"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="plan",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="planrun",
            name="job",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="plan_runs", to="console.job"
            ),
        ),
        migrations.AddField(
            model_name="planrun",
            name="passes_brake",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
