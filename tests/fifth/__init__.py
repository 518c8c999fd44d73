"""A complete experiment that is none of this project's: it shows what one consists of."""
