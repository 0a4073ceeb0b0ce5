"""TensorFlow 1's graphs, read without TensorFlow: `graph` opens a file, `ops` runs what it holds in NumPy."""
