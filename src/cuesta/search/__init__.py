"""Candidates, lanes and chunks: training many networks, and choosing one."""
