"""Types of the variants' results: one type a variant, one file a method.

Each type says which metrics, tables and arrays a cell of the variant holds. A cell that hands over
anything else fails, and the report asks for nothing that no type has. The declaration of a variant
names its type (`holds`).
"""
