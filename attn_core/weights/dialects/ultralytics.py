"""Ultralytics YOLO: its CBAM is another block."""

from __future__ import annotations

from attn_core.weights.dialects.refused import Refused

REFUSED = (
    Refused(
        "ultralytics.CBAM",
        "CBAM",
        "ultralytics/ultralytics, ultralytics/nn/modules/conv.py",
        "ultralytics' CBAM has one C -> C convolution on the mean; CBAM here has a two-layer perceptron on mean and "
        "maximum.",
        ("channel_attention.fc.weight", "spatial_attention.cv1.weight"),
    ),
)
