"""Blocks in graphs and checkpoints.

`find` looks for them by structure (`patterns`, on `layers`, `pooling`, `kernels`) or by names (`names`), chooses among
variables (`variables`) and puts the blocks together (`assemble`, `naming`).
"""
