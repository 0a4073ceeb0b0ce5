"""TensorFlow 1's checkpoints, read without TensorFlow.

A checkpoint is opened in `checkpoint` (V2: `bundle`, V1: `slices`, both on `table`); `locate` finds its files.
"""
