"""The report, a pure function of the store: collect, draw, render, print, verify.

Nothing here imports TensorFlow, Keras or JAX.
"""

from bench.report.render import render
from bench.report.verify import ReportError

__all__ = ["ReportError", "render"]
