"""Work on a run for one person, told from that on runs of jobs: it is claimed first."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0050_marks_end"),
    ]

    operations = [
        migrations.AddField(
            model_name="planwork",
            name="is_for_many",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="planwork",
            index=models.Index(fields=["is_for_many", "state", "due_at"], name="planwork_due_for_many"),
        ),
    ]
