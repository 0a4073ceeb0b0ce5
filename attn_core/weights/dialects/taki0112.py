"""taki0112's SENet for TensorFlow 1: dense layers without biases, in name scopes, which variables do not have."""

from __future__ import annotations

from attn_core.weights.dialects.layout import tf_dense
from attn_core.weights.dialects.shared import squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "taki0112.squeeze_excitation_layer",
        tf_dense("dense"),
        tf_dense("dense_1"),
        bias=False,
        fixed={"activation": "relu", "gate": "sigmoid"},
        definition="taki0112/SENet-Tensorflow 4fa2d78, SE_ResNeXt.py",
        differs="Two dense layers without biases; the last dense layer of all is the classifier.",
        boundary="/",
        scoped=False,
        numbered="dense",
    ),
)
