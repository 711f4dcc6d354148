"""Attempts of users to recover their account, and users themselves as actors in the audit log."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0028_recovery_policy"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="actor",
            field=models.CharField(blank=True, choices=[("operator", "operator"), ("user", "user")], max_length=12),
        ),
        migrations.CreateModel(
            name="RecoveryAttempt",
            fields=[
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("unknown", "Unknown"),
                            ("canceled", "Canceled"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("wanted_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("lease_owner", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key_hash", models.CharField(max_length=64, unique=True)),
                ("reference", models.CharField(max_length=12)),
                ("started_at", models.DateTimeField()),
                ("sealed_typed", models.TextField(blank=True)),
                ("typed_hash", models.CharField(max_length=64)),
                ("network", models.CharField(blank=True, max_length=50)),
                ("source_address", models.CharField(blank=True, max_length=45)),
                ("browser", models.CharField(blank=True, max_length=120)),
                ("language", models.CharField(blank=True, max_length=10)),
                ("looked_at", models.DateTimeField(null=True)),
                ("stop", models.CharField(blank=True, max_length=20)),
                ("candidate", models.UUIDField(null=True)),
                ("candidate_population", models.UUIDField(null=True)),
                ("username", models.TextField(blank=True)),
                ("address_hash", models.CharField(blank=True, max_length=64)),
                ("seen", models.JSONField(null=True)),
                ("code_seed", models.UUIDField(default=uuid.uuid4)),
                ("code_sent", models.BooleanField(default=False)),
                ("code_expires_at", models.DateTimeField(null=True)),
                ("asked_at", models.DateTimeField()),
                ("asked_again", models.PositiveSmallIntegerField(default=0)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "step",
                    models.CharField(
                        choices=[
                            ("code", "code"),
                            ("proven", "proven"),
                            ("acting", "acting"),
                            ("done", "done"),
                            ("ended", "ended"),
                        ],
                        default="code",
                        max_length=10,
                    ),
                ),
                ("user_id", models.UUIDField(null=True)),
                ("proven_at", models.DateTimeField(null=True)),
                (
                    "choice",
                    models.CharField(
                        blank=True, choices=[("unlock", "unlock"), ("password", "password")], max_length=10
                    ),
                ),
                ("password_was_locked", models.BooleanField(default=False)),
                ("done", models.JSONField(default=list)),
                ("left", models.JSONField(default=list)),
                ("ended_at", models.DateTimeField(null=True)),
                ("is_released", models.BooleanField(default=False)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_attempts",
                        to="console.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["state", "due_at"], name="recoveryattempt_due"),
                    models.Index(
                        models.F("organization"),
                        models.F("typed_hash"),
                        models.F("looked_at"),
                        name="recovery_by_typed",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.F("candidate"),
                        models.F("started_at"),
                        name="recovery_by_candidate",
                    ),
                    models.Index(models.F("organization"), models.F("reference"), name="recovery_by_reference"),
                    models.Index(fields=["started_at"], name="recovery_by_start"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("user_id", None), ("user_id", models.F("candidate")), _connector="OR"),
                        name="recovery_proves_who_was_sent_it",
                    )
                ],
            },
        ),
    ]
