"""The scikit-learn interface: estimators, SearchCV, and their files."""
