"""The monitor agent: makes runs on another machine, with nothing but HTTP to the server (contract: monitors §7.2).

It shares `monitors.tools` with the platform's own workers, and neither knows a database nor starts Django's apps.
"""
