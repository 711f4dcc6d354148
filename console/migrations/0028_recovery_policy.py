"""The rules of account recovery for each population, and what its pages tell every user."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0027_system_user"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecoverySettings",
            fields=[
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="recovery_settings",
                        serialize=False,
                        to="console.organization",
                    ),
                ),
                ("helpdesk_phone", models.CharField(blank=True, max_length=40)),
                ("sign_in_url", models.URLField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="RecoveryPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("population_id", models.UUIDField()),
                ("population_name", models.CharField(blank=True, max_length=256)),
                ("is_on", models.BooleanField(default=False)),
                ("proof_attribute", models.CharField(default="email", max_length=256)),
                ("opens_with_lost_password", models.BooleanField(null=True)),
                ("accepts_unverified", models.BooleanField(default=False)),
                ("unlocks_account", models.BooleanField(default=False)),
                ("demands_device", models.BooleanField(default=False)),
                ("ends_sessions", models.BooleanField(default=True)),
                ("uses_pingone_code", models.BooleanField(default=False)),
                ("users_counted", models.PositiveIntegerField(null=True)),
                ("without_address", models.PositiveIntegerField(null=True)),
                ("counted_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_policies",
                        to="console.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("organization"), models.F("population_id"), name="one_recovery_policy"
                    )
                ],
            },
        ),
    ]
