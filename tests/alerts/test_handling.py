"""Grouping, silences, dependencies, escalation, flap damping, stop on acknowledge: each counted at a real receiver."""

from datetime import time, timedelta

import pytest

from alerts.dependencies.models import Dependency
from alerts.grouping.models import Grouping
from alerts.incidents.models import Alert, AlertEvent, Hold, Status
from alerts.incidents.services import acknowledge
from alerts.policies.models import Policy, PolicyStep
from alerts.silences.applying import apply, facts
from alerts.silences.models import Silence
from fleet.instances.models import Instance
from fleet.instances.models import Status as InstanceStatus
from tests.alerts.conftest import NOW, later, make_channel, make_instance, make_rule
from tests.alerts.handling import Story
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(local_server, settings) -> Story:
    """With the settings that the product has unless told otherwise."""
    settings.ALERT_GROUP_WAIT_S, settings.ALERT_GROUP_INTERVAL_S, settings.ALERT_SETTLE_S = 1, 10, 60
    return Story(local_server, make_channel(f"{local_server.url}/hook"))


def silence(**fields) -> Silence:
    fields = {"reason": "Kernel update", "starts_at": NOW, "ends_at": later(3600), "matchers": []} | fields
    made = Silence(**fields)
    for name, value in facts(made, NOW).items():
        setattr(made, name, value)
    made.save()
    apply(now=NOW)
    return made


def only(label: str, value: str, op: str = "=") -> list[dict[str, str]]:
    return [{"label": label, "op": op, "value": value}]


class TestGrouping:
    def test_many_at_once_are_one_message_and_its_updates(self, story):
        fields = {"provider": "docker", "status": "RUNNING", "last_seen_at": NOW}
        machines = Instance.objects.bulk_create([Instance(name=f"node-{n}", **fields) for n in range(200)])
        alerts = [story.fire(0, machine) for machine in machines]
        assert story.at(0) == 0 and story.at(1) == 1
        (body,) = story.bodies
        assert body["title"] == "200 alerts: Silent" and body["status"] == "ACTIVE"
        assert (body["group"]["firing"], len(body["group"]["alerts"]), body["group"]["more"]) == (200, 100, 100)
        late = story.fire(2, make_instance())
        for alert in alerts[:9]:
            story.resolve(3, alert)
        assert story.through(2, 10, 2) == 1 and story.at(11) == 2
        assert story.bodies[1]["title"] == "1 alert, 9 ended: Silent" and story.bodies[1]["group"]["open"] == 192
        Alert.objects.filter(pk__in=[alert.pk for alert in alerts[10:]]).delete()
        story.resolve(30, late)
        story.resolve(30, alerts[9])
        assert story.through(30, 60, 10) == 3
        assert (story.bodies[2]["title"], story.bodies[2]["status"]) == ("2 alerts: Silent", "RESOLVED")
        keys = {request.headers["idempotency-key"] for request in story.server.requests}
        assert len(keys) == 3

    def test_one_alone_is_told_as_it_is(self, story):
        alert = story.fire(0, make_instance(name="web-1"))
        assert story.at(1) == 1
        assert story.bodies[0]["alertId"] == alert.pk and "group" not in story.bodies[0]
        story.resolve(5, alert)
        assert story.at(10) == 1 and story.at(11) == 2

    def test_by_labels_with_wait_interval_and_repeat(self, story):
        Grouping.objects.create(
            name="By region",
            matchers=only("region", "", "!="),
            labels=["region"],
            wait_s=30,
            interval_s=300,
            repeat_s=3600,
        )
        here, there = make_instance(region="eu"), make_instance(region="us")
        for instance in (here, make_instance(region="eu"), there):
            story.fire(0, instance)
        other = make_rule(name="Full", channels=[story.channel])
        story.fire(10, here, rule=other, dedupe_key="full")
        assert story.at(29) == 0 and story.at(30) == 2
        titles = sorted(body["title"] for body in story.bodies)
        assert titles == ["3 alerts: eu", f"{there} is silent"]
        story.fire(60, make_instance(region="eu"))
        assert story.at(329) == 2 and story.at(330) == 3
        assert story.at(3629) == 3 and story.at(3630) == 4, "us, which has been still since second 30"
        assert story.bodies[3]["title"] == f"Still open: {there} is silent"
        assert story.at(3930) == 5 and story.bodies[4]["title"] == "Still open: 4 alerts: eu"


class TestSilences:
    def test_nobody_is_told_until_it_ends_and_then_at_once(self, story):
        silence(matchers=only("instance", "db-.*", "=~"), ends_at=later(600))
        burning, over = story.fire(1, make_instance(name="db-1")), story.fire(1, make_instance(name="db-2"))
        assert burning.status == Status.SILENCED
        story.fire(2, make_instance(name="web-9"))
        assert story.at(100) == 1 and story.bodies[0]["title"].startswith("web-9")
        story.resolve(200, over)
        assert story.at(599) == 1 and story.at(600) == 2
        assert story.bodies[1]["alertId"] == burning.pk
        kinds = set(AlertEvent.objects.filter(alert=burning).values_list("kind", flat=True))
        assert {"fired", "silenced", "unsilenced"} <= kinds

    def test_what_was_told_before_is_told_again_when_it_still_burns(self, story):
        alert = story.fire(-5, make_instance(name="db-1"))
        assert story.at(0) == 1
        silence(matchers=only("severity", "HIGH"), ends_at=later(100))
        alert.refresh_from_db()
        assert alert.status == Status.SILENCED
        assert story.at(99) == 1 and story.at(100) == 2
        story.resolve(200, alert)
        assert story.at(210) == 3, "the end is told once"

    def test_each_week_by_the_wall_clock_of_a_zone(self, story):
        weekly = {"days": [0], "from_time": time(14, 0), "minutes": 60, "time_zone": "Europe/Berlin", "ends_at": None}
        made = silence(**weekly)  # NOW is a Monday, 13:00 in Berlin
        assert not made.active and made.next_at == later(3600)
        story.at(3600)
        story.fire(3601, make_instance())
        assert story.at(3700) == 0 and story.at(7199) == 0 and story.at(7200) == 1
        made.refresh_from_db()
        assert not made.active and made.next_at == later(3600) + timedelta(days=7)


class TestDependencies:
    def test_children_of_what_is_down_are_held_and_told_if_they_stay_down(self, story):
        parent = make_instance(name="switch-1", status=InstanceStatus.ERROR)
        child, grandchild = make_instance(name="web-1"), make_instance(name="web-2")
        Dependency.objects.create(parent_instance=parent, child_instance=child)
        Dependency.objects.create(parent_instance=child, child_instance=grandchild)
        story.fire(0, parent)
        held = [story.fire(0, one) for one in (child, grandchild)]
        assert [alert.held_by for alert in held] == ["switch-1", "web-1"]
        assert story.through(0, 120, 5) == 1 and story.bodies[0]["instanceId"] == parent.pk
        story.resolve(121, Alert.objects.get(instance=parent))
        Instance.objects.filter(pk=parent.pk).update(status=InstanceStatus.RUNNING, offline_after=later(9999))
        story.resolve(150, held[1])
        assert story.through(121, 190, 5) == 2, "the end of the parent; a child gets a while to recover"
        assert story.through(191, 230, 5) == 3 and story.bodies[2]["instanceId"] == child.pk
        assert Alert.objects.get(pk=held[0].pk).held == Hold.NONE


class TestFlapping:
    @pytest.mark.parametrize("settings_of_groups", [(1, 10), (0, 0)])
    def test_every_ten_seconds_for_ten_minutes_is_told_twice_at_most(self, story, settings, settings_of_groups):
        settings.ALERT_GROUP_WAIT_S, settings.ALERT_GROUP_INTERVAL_S = settings_of_groups
        machine, alert = make_instance(name="web-1"), None
        for second in range(0, 600, 10):
            if alert is None:
                alert = story.fire(second, machine)
            else:
                story.resolve(second, alert)
                alert = None
            story.through(second, second + 9, 4)
        assert len(story.bodies) == 2
        assert [body["status"] for body in story.bodies] == ["ACTIVE", "RESOLVED"]
        last = Alert.objects.order_by("-fired_at").first()
        assert last.flapping and AlertEvent.objects.filter(alert=last, kind="held").exists()

    def test_what_stays_down_after_flapping_is_told(self, story):
        machine = make_instance(name="web-1")
        for second in (0, 20):
            alert = story.fire(second, machine)
            story.through(second, second + 9, 4)
            story.resolve(second + 10, alert)
            story.through(second + 10, second + 19, 3)
        alert = story.fire(40, machine)
        count = story.through(40, 159, 3)
        assert count == 2 and story.through(160, 165) == 3
        assert story.bodies[2]["alertId"] == alert.pk and "comes and goes" in story.bodies[2]["title"]


class TestEscalation:
    @pytest.fixture
    def policy(self, story, local_server) -> Policy:
        policy = Policy.objects.create(name="Nights", matchers=only("severity", "HIGH"), repeats=1)
        for number, wait in enumerate((60, 300)):
            step = PolicyStep.objects.create(policy=policy, number=number, after_s=wait)
            step.channels.set([make_channel(f"{local_server.url}/step-{number}")])
        return policy

    def paths(self, story) -> list[str]:
        return [request.path for request in story.server.requests]

    def test_step_by_step_and_from_the_start_again(self, story, policy):
        story.fire(0, make_instance())
        story.fire(0, make_instance(), severity="LOW", dedupe_key="low")
        story.through(0, 59, 10)
        assert self.paths(story) == ["/hook"]
        story.through(60, 2000, 10)
        assert self.paths(story) == ["/hook", "/step-0", "/step-1", "/step-0", "/step-1"]
        assert story.bodies[1]["title"].startswith("Nobody has it yet")

    def test_whoever_takes_it_on_ends_it(self, story, policy):
        alert = story.fire(0, make_instance())
        story.through(0, 100, 10)
        acknowledge(alert=alert, actor=make_user(role="OPERATOR").principal())
        assert story.through(101, 3000, 20) == 2 and self.paths(story) == ["/hook", "/step-0"]
        story.resolve(3001, alert)
        story.at(3020)
        assert sorted(self.paths(story)[2:]) == ["/hook", "/step-0"], "the end goes to those who were told"

    def test_a_silence_stops_it_and_its_end_begins_anew(self, story, policy):
        story.fire(0, make_instance())
        story.through(0, 30, 10)
        silence(starts_at=NOW, ends_at=later(1000))
        assert story.through(40, 999, 30) == 1
        assert story.at(1000) == 2 and story.through(1001, 1059, 10) == 2 and story.at(1060) == 3
