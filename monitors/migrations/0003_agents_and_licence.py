from django.db import migrations, models

import monitors.licence.models


class Migration(migrations.Migration):
    dependencies = [("monitors", "0002_tools")]

    operations = [
        migrations.CreateModel(
            name="Licence",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=monitors.licence.models.ONLY, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.TextField(blank=True)),
                ("installed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="licence_only_one")],
            },
        ),
        migrations.AddField("agent", "removed_at", models.DateTimeField(null=True)),
        migrations.AddField("agent", "token_digest", models.CharField(max_length=64, null=True, unique=True)),
        migrations.AddConstraint(
            "agent",
            models.CheckConstraint(
                condition=models.Q(("removed_at", None), ("token_digest", None), _connector="OR"),
                name="agent_removed_has_no_token",
            ),
        ),
    ]
