"""The primitives in the words of each framework: symbols' texts in, an expression out."""
