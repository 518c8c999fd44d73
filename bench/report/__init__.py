"""The report, a pure function of the store: collect, draw, render, print, verify.

Nothing here imports TensorFlow, Keras or JAX.
"""

from bench.report.errors import PrintingError, ReportError
from bench.report.render import render

__all__ = ["PrintingError", "ReportError", "render"]
