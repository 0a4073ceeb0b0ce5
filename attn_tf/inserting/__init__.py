"""Blocks inserted into Keras networks of any origin."""
