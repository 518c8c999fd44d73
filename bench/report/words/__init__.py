"""Words of the report: languages, names, and what authors add."""
