"""Files that are published: HTML for the screen, PDF, and whether they are up to date."""
