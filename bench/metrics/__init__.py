"""Pure functions from NumPy arrays to numbers: no training, no files, no drawing.

`classification`, `embedding` (with `neighbourhoods`), `generation` (with `manifolds` and
`neighbours`) and `statistics`. They import nothing else of this project.
"""
