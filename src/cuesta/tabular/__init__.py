"""The main job: from a table to a tested network."""
