"""Porting a whole TensorFlow 1 network: from its graph to the steps that a programmer would write."""
