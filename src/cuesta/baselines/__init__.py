"""Models that a colleague would ask for, fitted to the rows and folds of the networks."""
