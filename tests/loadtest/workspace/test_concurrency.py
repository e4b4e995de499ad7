"""Many writers at once (contract: load testing §1.1, §18.1)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from loadtest.workspace.models import Collection, Environment
from tests.loadtest.workspace.conftest import BASE
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8


def at_once(jobs):
    """What each job gives; several threads take them in turn, each with one connection."""

    def run(first):
        try:
            return [job() for job in jobs[first::THREADS]]
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        shares = list(pool.map(run, range(THREADS)))
    return [shares[number % THREADS][number // THREADS] for number in range(len(jobs))]


@pytest.fixture
def other(operator):
    """`other()` is one more client with the same key, for a thread of its own."""
    return lambda: ApiClient(headers={"Authorization": f"Bearer {operator.raw_key}"})


@pytest.mark.slow
def test_a_thousand_creations_give_a_thousand_ids(other):
    def create():
        return other().post(f"{BASE}/environments", {"name": "e"})

    answers = at_once([create] * 1000)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == Environment.objects.count() == 1000


@pytest.mark.storage
def test_one_chosen_id_is_one_row(other):
    def create():
        return other().post(f"{BASE}/collections", {"id": "mine", "name": "A"}).status_code

    assert set(at_once([create] * 24)) == {200}
    assert Collection.objects.count() == 1


@pytest.mark.storage
def test_two_moves_make_no_loop(operator, other):
    for name in "ab":
        operator.post(f"{BASE}/collections", {"id": name, "name": name})

    def move(child, parent):
        body = {"id": child, "parentId": parent}
        return lambda: other().post(f"{BASE}/collections", body).status_code

    for _ in range(15):
        assert sorted(at_once([move("a", "b"), move("b", "a")])) == [200, 400]
        operator.post(f"{BASE}/collections", {"id": "a", "parentId": None})
        operator.post(f"{BASE}/collections", {"id": "b", "parentId": None})


@pytest.mark.storage
def test_creations_below_a_collection_that_is_deleted_leave_no_orphan(operator, other):
    operator.post(f"{BASE}/collections", {"id": "top", "name": "top"})
    request = {"collectionId": "top", "name": "r", "method": "GET", "url": "http://a.test"}

    def create():
        return other().post(f"{BASE}/requests", request).status_code

    def nest():
        return other().post(f"{BASE}/collections", {"name": "c", "parentId": "top"}).status_code

    def delete():
        return other().delete(f"{BASE}/collections/top").status_code

    statuses = at_once([create, nest, create, nest, delete, create, nest, create])
    assert set(statuses) <= {200, 400} and statuses[4] == 200
    assert not Collection.objects.exists()
