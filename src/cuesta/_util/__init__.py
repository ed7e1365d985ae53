"""Helpers for files, caches, checks and progress bars, which any part may use."""
