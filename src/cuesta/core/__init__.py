"""One network, in pure JAX: nothing here knows of folds, files or lanes."""
