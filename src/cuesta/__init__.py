"""cuesta: from a table to a tested neural network."""

__version__ = "0.1.0"
