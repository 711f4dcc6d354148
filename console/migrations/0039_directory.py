"""What an organization says of its directory: who a user's manager is, and how usernames are made."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0038_plans"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="manager_attribute",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=256),
        ),
        migrations.AddField(
            model_name="organization",
            name="manager_by",
            field=models.CharField(
                choices=[("username", "Username"), ("email", "Email"), ("id", "ID")],
                db_default="username",
                default="username",
                editable=False,
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="username_pattern",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=80),
        ),
    ]
