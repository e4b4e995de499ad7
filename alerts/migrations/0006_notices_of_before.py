"""Messages written before groups spoke: each becomes the stream and the notice it stood for."""

from django.db import migrations, models
from django.db.models import F

BATCH = 1000


def notices(apps, schema_editor):
    Notification = apps.get_model("alerts", "Notification")
    Notice = apps.get_model("alerts", "Notice")
    Notification.objects.update(stream=F("alert_id"), turn=F("kind"))
    batch = []
    for old in Notification.objects.order_by("pk").iterator(chunk_size=BATCH):
        batch.append(
            Notice(
                alert_id=old.alert_id,
                channel_id=old.channel_id,
                kind=old.kind,
                message_id=old.pk,
                created_at=old.created_at,
            )
        )
        if len(batch) == BATCH:
            Notice.objects.bulk_create(batch)
            batch = []
    Notice.objects.bulk_create(batch)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0005_notifying")]
    operations = [
        migrations.RunPython(notices, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(fields=("stream", "channel", "turn"), name="notification_once"),
        ),
    ]
