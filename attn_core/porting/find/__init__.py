"""Blocks in graphs and checkpoints.

`find` looks for them `by_structure` (on `dense`, `means`, `kernels`) or `by_name`, chooses among `variables` and puts
the blocks together (`assemble`, `naming`).
"""
