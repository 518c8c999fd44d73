"""What the variants of experiments hand over: one type a variant, one file a method."""
