"""A race of optimizers as a page, a picture and on the terminal."""
