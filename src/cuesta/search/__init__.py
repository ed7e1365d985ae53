"""Which candidate: the space, the samplers, and the choice among trained candidates."""
