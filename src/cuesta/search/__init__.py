"""Chooses candidates: the space, the samplers, the ranking, halving."""
