"""From a file to numbers: reading, encoding, splitting, scaling."""
