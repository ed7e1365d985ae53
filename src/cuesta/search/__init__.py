"""Chooses candidates: the space, the samplers, the ranking, halving, the committee, calibration."""
