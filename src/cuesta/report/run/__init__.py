"""A run of `cuesta fit` on the terminal."""
