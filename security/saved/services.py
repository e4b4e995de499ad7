"""Keeping and forgetting views of lists. They are a person's own; nobody else sees them."""

from django.db.models import QuerySet
from django.http import QueryDict

from config.api.authentication import Principal
from config.api.errors import Invalid
from security.saved.models import SavedView

MOST = 30  # of one person and list
DROPPED = ("page", "shown", "csrfmiddlewaretoken")


def views(principal: Principal, page: str) -> QuerySet[SavedView]:
    """The person's views of a list, by name."""
    return SavedView.objects.filter(user=principal.user, page=page).order_by("name", "pk")


def save(*, principal: Principal, page: str, name: str, query: str) -> SavedView:
    """Keep a view under a name; one of that name is replaced. Raises Invalid."""
    name = " ".join(name.replace("\x00", "").split())
    if not 1 <= len(name) <= 60:
        raise Invalid("Give the view a name of at most 60 characters.")
    query = cleaned(query)
    if len(query) > 1000:
        raise Invalid("This view asks for too much to be kept.")
    others = views(principal, page).exclude(name=name)
    if others.count() >= MOST:
        raise Invalid(f"There are {MOST} views already. Remove one first.")
    view, _ = SavedView.objects.update_or_create(user=principal.user, page=page, name=name, defaults={"query": query})
    return view


def forget(*, principal: Principal, pk: int) -> None:
    """Forget one of the person's own; of anybody else's nothing happens."""
    SavedView.objects.filter(user=principal.user, pk=pk).delete()


def cleaned(query: str) -> str:
    """What an address asks for, without its page and without empty values, always in one order."""
    given = QueryDict(query.replace("\x00", ""), mutable=True)
    for name in list(given):
        if name in DROPPED or not given[name]:
            del given[name]
    return "&".join(sorted(given.urlencode().split("&"))).strip("&")
