"""Grading of a run that was handed in: its figures are recomputed from the stored results."""

from bench.grading.findings import CellGrade, Difference, Gap
from bench.grading.grade import Grade, grade

__all__ = ["CellGrade", "Difference", "Gap", "Grade", "grade"]
