from django.db import migrations

from config import timeseries

# The tables as this migration makes them; later changes come in later migrations.
TABLES = (
    timeseries.Table(
        "log_entry",
        {
            "id": "text",
            "ts": "time",
            "instance_id": "text",
            "level": "smallint",
            "source": "smallint",
            "message": "text",
            "metadata": "json",
            "deployment_id": "text",
        },
        key=("ts", "id"),
        required=("instance_id", "level", "source", "message"),
        indexes=(("instance_id", "ts", "id"),),
        search="message",
    ),
    timeseries.Table(
        "log_count",
        {"ts": "time", "instance_id": "text", "level": "smallint", "source": "smallint", "n": "bigint"},
        key=("ts", "instance_id", "level", "source"),
        required=("n",),
    ),
)


def make_tables(apps, schema_editor):
    for table in TABLES:
        timeseries.create(table, using=schema_editor.connection.alias)


def drop_tables(apps, schema_editor):
    for table in TABLES:
        timeseries.remove(table, using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_metric_tables"),
    ]

    operations = [
        migrations.RunPython(make_tables, drop_tables),
    ]
