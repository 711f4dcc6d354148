from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0036_factor_resets"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="session_idle_minutes",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="organization",
            name="session_hours",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="organization",
            name="password_words",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
    ]
