"""Functions to learn on: J is a formula, so its minima are known and every path can be seen."""
