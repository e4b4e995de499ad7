"""The tools that can make a run. Each has the interface of `monitors.tools.base.Tool`."""
