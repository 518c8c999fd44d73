"""Values that the report states: the store as it is read, quantities and their bounds."""
