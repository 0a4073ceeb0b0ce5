"""What people call the blocks, and which of them belong together."""

from __future__ import annotations

import re

from attn_core.spec import SpecError

FAMILIES = {
    "gates of channels": (
        "SqueezeExcitation", "EffectiveSqueezeExcitation", "EfficientChannelAttention", "ChannelAttention",
        "GlobalContext", "GlobalResponseNorm",
    ),
    "gates of pixels": (
        "SpatialAttention", "PointwiseGate", "StripPooling", "EfficientMultiScaleAttention", "SimAM", "AttentionGate",
    ),
    "gates of both": (
        "CBAM", "BottleneckAttention", "ConcurrentSqueezeExcitation", "CoordinateAttention", "TripletAttention",
        "ShuffleAttention",
    ),
    "attention among positions": ("NonLocal", "PointwiseSpatialAttention", "ExpectationMaximizationAttention"),
    "pooling and sampling": ("MixedPoolingModule", "GlobalPooling", "AffineSampler", "SpatialTransformer"),
    "channels": ("ChannelShuffle", "Res2Conv", "Res2Bottleneck"),
    "networks": ("ResidualBlock", "SEResNet", "HybridSN"),
}  # fmt: skip

WORDS = {
    "SqueezeExcitation": ("SE", "SELayer", "SEModule", "SE block", "squeeze and excite", "SENet", "cSE"),
    "EffectiveSqueezeExcitation": ("eSE", "VoVNet"),
    "EfficientChannelAttention": ("ECA", "ECA-Net", "eca layer"),
    "ChannelAttention": ("CAM", "CA"),
    "SpatialAttention": ("SAM",),
    "AttentionGate": ("Attention U-Net", "attention block", "AG"),
    "PointwiseGate": ("SAM of YOLOv4", "modified SAM", "sSE"),
    "GlobalContext": ("GC", "GCNet", "ContextBlock", "GC block"),
    "GlobalResponseNorm": ("GRN", "ConvNeXt V2"),
    "StripPooling": ("SP", "SPNet", "SPBlock"),
    "MixedPoolingModule": ("MPM",),
    "EfficientMultiScaleAttention": ("EMA",),
    "ExpectationMaximizationAttention": ("EMA", "EMAU", "EMANet"),
    "BottleneckAttention": ("BAM",),
    "ConcurrentSqueezeExcitation": ("scSE", "csSE", "SCSEModule"),
    "CoordinateAttention": ("CA", "CoordAtt", "CoordAttn", "coord"),
    "TripletAttention": ("triplet", "rotate to attend"),
    "ShuffleAttention": ("SA", "SA-Net", "sa layer", "shuffle"),
    "ChannelShuffle": ("ShuffleNet",),
    "NonLocal": ("NL", "non-local block", "non-local neural network", "self-attention"),
    "PointwiseSpatialAttention": ("PSA", "PSANet"),
    "SpatialTransformer": ("STN",),
    "AffineSampler": ("grid sample", "affine grid"),
    "Res2Bottleneck": ("Res2Net", "Bottle2neck"),
    "SEResNet": ("SE-ResNet", "ResNet"),
}

# Of what is not here, too, for one would take the block that is.
ELSEWHERE = {"psa": "polarized self-attention and pyramid squeeze attention, which are not here"}


def plain(word: str) -> str:
    """Return the letters and digits of a word, small: "SA-Net" and "sa_net" are the same."""
    return re.sub(r"[^a-z0-9]", "", word.lower())


def called(word: str) -> list[str]:
    """Return the names of the blocks that people call so; the names themselves count, however they are written."""
    every = [name for names in FAMILIES.values() for name in names]
    return [name for name in every if plain(word) in {plain(own) for own in (name, *WORDS.get(name, ()))}]


def meant(word: str) -> str:
    """Return the name of the block that a word stands for, or the word where it stands for none.

    **Raises** `SpecError` for a word of several, with their names.
    """
    found = called(word)
    others = ELSEWHERE.get(plain(word), "")
    if word in found or not found:
        return word
    if len(found) == 1 and not others:
        return found[0]
    raise SpecError(f"{word!r} is what people call {' and '.join([*found, *[others] * bool(others)])}: say which.")


def meant_call(text: str) -> str:
    """Return a text such as ``SE(64)`` with the block's name in place of the word before the bracket."""
    word, bracket, rest = text.partition("(")
    return meant(word.strip()) + bracket + rest
