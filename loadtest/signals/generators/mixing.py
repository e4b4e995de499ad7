"""The mixer behind every seeded value, and what is read out of it (contract: signals §8). All of it is u64."""

MASK = (1 << 64) - 1
JITTER = 0xA0761D6478BD642F
_TOP = float(MASK)


def mix(z: int) -> int:
    """SplitMix64's step and finisher, of a number below 2^64."""
    z = (z + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31


def fraction(mixed: int) -> float:
    """From 0 to 1, both included."""
    return float(mixed) / _TOP


def fraction53(mixed: int) -> float:
    """From 0 to below 1, in steps of 2^-53."""
    return (mixed >> 11) * 2.0**-53


def hashed(seed: int, tick: int, text: bytes) -> int:
    """One number for a seed, a tick and a name."""
    mixed = mix(seed ^ tick)
    for byte in text:
        mixed = mix(mixed ^ byte)
    return mixed
