"""Errors of rendering."""


class ReportError(RuntimeError):
    """A rendered report does not agree with the store, or is not whole."""


class PrintingError(ReportError):
    """WeasyPrint could not set the page as it was written."""
