"""JMeter: the program runs a plan; its result file is read row by row (contract: monitors §8.3)."""

from monitors.tools.jmeter.tool import JMeter

__all__ = ["JMeter"]
