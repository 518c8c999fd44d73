"""Grading a run that was handed in: its figures computed again from what it keeps."""

from bench.grading.findings import CellGrade, Difference, Gap
from bench.grading.grade import Grade, grade

__all__ = ["CellGrade", "Difference", "Gap", "Grade", "grade"]
