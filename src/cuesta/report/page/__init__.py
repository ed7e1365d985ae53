"""What all pages share: the template, the look, the scripts, and how they become one file."""
