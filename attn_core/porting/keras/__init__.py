"""Whole Keras models: `.h5` and `.keras` files become graphs, which are ported as those of TensorFlow 1 are.

`configuration` reads how a model's layers are connected, `nodes` writes nodes of a graph, the files of layers write
those of one theme each, `graph` brings them together. Nothing in a file is executed.
"""
