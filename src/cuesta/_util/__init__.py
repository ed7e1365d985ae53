"""Files, caches and progress: plumbing that any part may use."""
