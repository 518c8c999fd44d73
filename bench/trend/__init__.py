"""Page that shows the stored runs of `invoke bench` over time."""
