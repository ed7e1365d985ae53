"""scikit-learn's face: estimators, the search, and their files."""
