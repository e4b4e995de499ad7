from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0003_rule_states"),
    ]

    operations = [
        migrations.CreateModel(
            name="DemoData",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("seed", models.PositiveBigIntegerField()),
                ("requested_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("loaded_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="demo_data_once")],
            },
        ),
    ]
