"""The benchmark regression check: time, size and quality of two commits."""
