"""What ticks are worth: values, labels, logs (contract: signals §8). No Django here."""
