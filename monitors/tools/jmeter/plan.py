"""Whether a text is a JMeter plan (contract: monitors §8.3)."""

from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

ROOT = "jmeterTestPlan"


def fault_of(text: str) -> str | None:
    """Why this is no plan; None when it is one. Document types and entities are refused: a plan has none."""
    try:
        root = fromstring(text, forbid_dtd=True)
    except ParseError as error:
        return f"The plan is no well-formed XML: {error}."
    except DefusedXmlException:
        return "The plan holds a document type or entities. JMeter writes none."
    except ValueError:  # e.g. an encoding that nobody knows
        return "The plan's XML cannot be read."
    if root.tag != ROOT:
        return f"This is no JMeter plan: its first element is {root.tag[:50]}, not {ROOT}."
    return None
