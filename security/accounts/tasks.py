"""Retention of sessions."""

from celery import shared_task

from security.accounts.sessions import SessionStore


@shared_task(ignore_result=True)
def clear_sessions() -> None:
    """Drop the rows of sessions that are over."""
    SessionStore.clear_expired()
