"""Functions to learn on: J as a formula, whose path and minima can be seen."""
