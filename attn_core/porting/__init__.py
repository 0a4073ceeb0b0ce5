"""TensorFlow 1 code and checkpoints to layers of another framework, with proof."""
