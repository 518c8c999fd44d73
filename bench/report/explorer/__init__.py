"""Explorer of the page for the screen: its data, and decoders that a page can evaluate."""
