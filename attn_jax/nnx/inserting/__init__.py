"""Blocks inserted into NNX networks of any origin."""
