"""Test functions for optimizers: J is a formula, so its minima are known."""
