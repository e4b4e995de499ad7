"""The process that makes the signals: many scenarios on one clock. It knows nothing of Django or the database.

`python -m loadtest.signals.runner` is started by `loadtest.signals.hosting` and by nobody else. Orders come on standard
input, reports leave on standard output (`wire`); the end of either ends the process.
"""
