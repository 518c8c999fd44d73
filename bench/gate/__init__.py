"""The benchmark regression check: did time, size or quality get worse between two commits?"""
