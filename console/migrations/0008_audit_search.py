import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Exists, OuterRef

from console.audit.terms import BLOCK, terms_of

SUBJECTS = [
    ("user", "user"),
    ("group", "group"),
    ("api", "API call"),
    ("connection", "connection"),
    ("membership", "membership"),
    ("policy", "policy"),
    ("operator", "operator"),
    ("log", "audit log"),
]


def index_earlier_entries(apps, schema_editor):
    """Add the words of the entries so far: username, group and ticket, the only ones that they have."""
    entry_model, term_model = apps.get_model("console", "AuditEntry"), apps.get_model("console", "AuditTerm")
    for organization_id in entry_model.objects.order_by().values_list("organization_id", flat=True).distinct():
        rows = entry_model.objects.filter(organization_id=organization_id)
        usernames = {}  # a renamed user is one user: each entry gets the words of all their names
        named = rows.exclude(subject_id="").order_by().values_list("subject_kind", "subject_id", "subject_name")
        for kind, subject_id, name in named.distinct():
            usernames.setdefault((kind, subject_id), set()).add(name)
        later = entry_model.objects.filter(entry=OuterRef("entry"), revision__gt=OuterRef("revision"))
        added = []
        for row in rows.filter(~Exists(later)).order_by("sequence").iterator(chunk_size=2000):
            terms = terms_of(row)
            for row.subject_name in usernames.get((row.subject_kind, row.subject_id), ()):  # noqa: B020
                terms |= terms_of(row)
            added += [
                term_model(
                    organization_id=organization_id, block=row.sequence // BLOCK, term=term, sequence=row.sequence
                )
                for term in terms
            ]
            if len(added) >= 5000:
                term_model.objects.bulk_create(added)
                added = []
        term_model.objects.bulk_create(added)


class Migration(migrations.Migration):
    """The hash of a row leaves out what is empty, so that older rows, without name and email, stay true."""

    dependencies = [("console", "0007_audit_outcomes_and_actor")]

    operations = [
        migrations.RemoveIndex("auditentry", "audit_by_ticket"),
        migrations.RemoveIndex("auditentry", "audit_by_name"),
        migrations.AddField("auditentry", "subject_full_name", models.TextField(blank=True)),
        migrations.AddField("auditentry", "subject_email", models.TextField(blank=True)),
        migrations.AlterField("auditentry", "subject_kind", models.CharField(choices=SUBJECTS, max_length=12)),
        migrations.CreateModel(
            name="AuditTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("block", models.PositiveBigIntegerField()),
                ("term", models.BinaryField()),
                ("sequence", models.PositiveBigIntegerField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="console.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("organization"),
                        models.F("block"),
                        models.F("term"),
                        models.F("sequence"),
                        name="audit_term_in_block",
                    )
                ]
            },
        ),
        migrations.RunPython(index_earlier_entries, migrations.RunPython.noop),
    ]
