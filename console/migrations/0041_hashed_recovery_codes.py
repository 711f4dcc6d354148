"""Keep hashes of operators' recovery codes in place of the sealed seed that they derive from. The codes stay good."""

from typing import Any

from django.db import migrations


def hash_codes(apps: Any, schema_editor: Any) -> None:
    from console.operators.recovery_codes import converted

    model = apps.get_model("mfa", "Authenticator")
    every = model.objects.using(schema_editor.connection.alias).filter(type="recovery_codes")
    for pk in list(every.values_list("pk", flat=True)):
        rows = every.filter(pk=pk)
        while (data := rows.values_list("data", flat=True).first()) and "hashes" not in data:
            rows.filter(data=data).update(data=converted(data))  # again if a code was used meanwhile


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0040_single_sign_on"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(hash_codes, migrations.RunPython.noop)]
