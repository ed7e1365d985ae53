"""The loss of a network on a plane, as a page."""
