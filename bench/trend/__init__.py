"""How the benchmarks' figures moved over the stored runs of `invoke bench`: one page."""
