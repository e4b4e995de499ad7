"""More tools, and the screenshot of a failed browser run."""

import django.db.models.deletion
from django.db import migrations, models

TOOLS = [
    ("http", "HTTP request"),
    ("k6", "k6 script"),
    ("jmeter", "JMeter plan"),
    ("locust", "Locust script"),
    ("browser", "Browser script"),
]


class Migration(migrations.Migration):
    dependencies = [("monitors", "0001_monitors")]

    operations = [
        migrations.RemoveConstraint(model_name="monitor", name="monitor_tool_known"),
        migrations.AlterField(model_name="monitor", name="tool", field=models.CharField(choices=TOOLS, max_length=10)),
        migrations.AddConstraint(
            model_name="monitor",
            constraint=models.CheckConstraint(
                condition=models.Q(("tool__in", [name for name, _ in TOOLS])), name="monitor_tool_known"
            ),
        ),
        migrations.CreateModel(
            name="Screenshot",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="screenshot",
                        serialize=False,
                        to="monitors.run",
                    ),
                ),
                ("image", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["at"], name="screenshot_age")]},
        ),
    ]
