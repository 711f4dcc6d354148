import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0025_jobs"),
    ]

    operations = [
        migrations.CreateModel(
            name="PeopleList",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("file", "File"),
                            ("selection", "Selection"),
                            ("search", "Search"),
                            ("group", "Group"),
                            ("population", "Population"),
                            ("undo", "Undo"),
                        ],
                        max_length=12,
                    ),
                ),
                ("query", models.JSONField(default=dict)),
                ("file_name", models.TextField(blank=True)),
                ("size", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("filled_at", models.DateTimeField(null=True)),
                (
                    "job",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="people", to="console.job"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="console.organization"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ListPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="console.peoplelist"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ColumnMeanings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("action", models.CharField(max_length=60)),
                ("meanings", models.JSONField(default=dict)),
                ("key", models.CharField(blank=True, max_length=20)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="console.organization"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("organization"), models.F("action"), name="column_meanings_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="peoplelist",
            index=models.Index(models.F("created_at"), condition=models.Q(("job", None)), name="people_list_by_time"),
        ),
        migrations.AddConstraint(
            model_name="listpart",
            constraint=models.UniqueConstraint(models.F("list"), models.F("number"), name="list_part_once"),
        ),
    ]
