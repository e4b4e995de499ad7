"""What alerts and commands tell on the pages of instances."""

from datetime import datetime

from django.db.models import Count, IntegerField, OuterRef, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from alerts.incidents.models import Alert
from config.api.authentication import Principal
from fleet.commands.models import Execution
from fleet.instances.beside import MOST_MARKS, Mark


def open_alerts() -> Combinable:
    """How many open alerts an instance has."""
    own = Alert.objects.open().filter(instance=OuterRef("pk")).order_by().values("instance")
    return Coalesce(Subquery(own.annotate(n=Count("pk")).values("n")), Value(0), output_field=IntegerField())


def alert_marks(instance_id: str, principal: Principal | None, since: datetime, until: datetime) -> list[Mark]:
    """When alerts of the instance fired."""
    fired = Alert.objects.visible_to(principal).filter(instance=instance_id, fired_at__gte=since, fired_at__lte=until)
    newest = fired.order_by("-fired_at", "-pk").values_list("fired_at", flat=True)[:MOST_MARKS]
    return [Mark(at, "Alert") for at in newest]


def command_marks(instance_id: str, principal: Principal | None, since: datetime, until: datetime) -> list[Mark]:
    """When commands were run on the instance."""
    run = Execution.objects.filter(instance=instance_id, created_at__gte=since, created_at__lte=until)
    newest = run.order_by("-created_at", "-pk").values_list("created_at", flat=True)[:MOST_MARKS]
    return [Mark(at, "Command") for at in newest]
