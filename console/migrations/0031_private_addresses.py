"""The attributes with a private address for account recovery, kept with the organization: no page needs a query for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0030_user_mails"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="private_addresses",
            field=models.JSONField(
                db_default=models.Value([], output_field=models.JSONField()), default=list, editable=False
            ),
        ),
    ]
