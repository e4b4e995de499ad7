"""Work of the clock."""

from celery import shared_task

from loadtest.workspace import configuration


@shared_task(ignore_result=True)
def remember_configuration() -> None:
    """Keep the settings readable without the database, also after the cache has lost them."""
    configuration.remember()
