"""Page that the templates fill: what they may call, marks of numbers, numbering."""
