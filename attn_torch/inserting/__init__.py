"""Blocks inserted into PyTorch networks of any origin."""
