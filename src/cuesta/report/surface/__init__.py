"""The loss of a network on a plane of its weights, as a page."""
