"""Blocks inserted into Linen networks of any origin."""
