from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pingone_integration", "0005_call_rates"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="rate_share",
            field=models.PositiveSmallIntegerField(null=True),
        ),
    ]
