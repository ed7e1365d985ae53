"""Many lanes in one program: from candidates and folds to curves and weights."""
