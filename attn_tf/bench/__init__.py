"""Timing layers in Keras; see `attn_core.parity.bench`."""

from attn_tf.bench.stand import stand as stand
