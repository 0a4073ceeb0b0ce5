"""Configurations that cannot be built, and the whole sentence that says so."""

from __future__ import annotations

REFUSED = [
    ("SpatialAttention", {"kernel": 4}, "SpatialAttention(kernel=4): kernel must be odd, so that it has a centre."),
    (
        "SpatialAttention",
        {"rank": 4},
        "SpatialAttention(kernel=7, rank=4): rank, the number of spatial axes, must be 1, 2 or 3.",
    ),
    ("SpatialAttention", {"momentum": 2}, "SpatialAttention(kernel=7): momentum must lie between 0 and 1, got 2."),
    (
        "CBAM",
        {"channels": 8},
        "ChannelAttention(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8.",
    ),
    (
        "CBAM",
        {"channels": 32, "kernel": 2},
        "SpatialAttention(kernel=2): kernel must be odd, so that it has a centre.",
    ),
    ("PointwiseGate", {"channels": 0}, "PointwiseGate(channels=0): channels must be at least 1."),
    (
        "ChannelShuffle",
        {"channels": 8, "groups": 3},
        "ChannelShuffle(channels=8, groups=3): groups must divide the 8 channels.",
    ),
    (
        "ShuffleAttention",
        {"channels": 24, "groups": 8},
        "ShuffleAttention(channels=24, groups=8): "
        "channels must be divisible by 2 * groups; choose groups so that they are.",
    ),
    (
        "GlobalPooling",
        {"pools": "sum"},
        "GlobalPooling(pools='sum'): pools must be one of mean, max, both; got 'sum'.",
    ),
    (
        "AffineSampler",
        {"size": (3, 3, 3)},
        "AffineSampler(size=(3, 3, 3)): size must hold a positive number, or None, for each of the 2 spatial axes.",
    ),
    (
        "AffineSampler",
        {"size": 0},
        "AffineSampler(size=0): size must hold a positive number, or None, for each of the 2 spatial axes.",
    ),
    (
        "AffineSampler",
        {"padding": "mirror"},
        "AffineSampler(size=None, padding='mirror'): padding must be one of zeros, border; got 'mirror'.",
    ),
    (
        "SpatialTransformer",
        {"channels": 3, "kernel": 4},
        "SpatialTransformer(channels=3, size=None, kernel=4): kernel must be odd, so that it has a centre.",
    ),
    (
        "SpatialTransformer",
        {"channels": 3, "hidden": 0},
        "SpatialTransformer(channels=3, size=None, hidden=0): hidden must be at least 1.",
    ),
    (
        "NonLocal",
        {"channels": 8, "mode": "softmax"},
        "NonLocal(channels=8, hidden=None, mode='softmax'): "
        "mode must be one of embedded_gaussian, gaussian, dot_product, concatenation; got 'softmax'.",
    ),
    (
        "NonLocal",
        {"channels": 8, "mode": "dot_product", "scale": "hidden"},
        "NonLocal(channels=8, hidden=None, mode='dot_product', scale='hidden'): "
        "only the softmax modes, embedded_gaussian and gaussian, have a scale; it must be 'none'.",
    ),
    (
        "NonLocal",
        {"channels": 8, "subsample": (2,)},
        "NonLocal(channels=8, hidden=None, subsample=(2,)): "
        "subsample must be a number of pixels, at least 1, or one for each of 2 axes.",
    ),
    (
        "NonLocal",
        {"channels": 8, "hidden": 0},
        "NonLocal(channels=8, hidden=0) leaves no hidden channel: hidden must be at least 1.",
    ),
    (
        "GlobalContext",
        {"channels": 8},
        "GlobalContext(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8.",
    ),
    (
        "GlobalContext",
        {"channels": 32, "fusion": "mul"},
        "GlobalContext(channels=32, reduction=16, fusion='mul'): fusion must be one of add, scale, both; got 'mul'.",
    ),
    (
        "GlobalContext",
        {"channels": 32, "eps": 0},
        "GlobalContext(channels=32, reduction=16, eps=0): eps must be above 0.",
    ),
    (
        "StripPooling",
        {"channels": 8, "rank": 1},
        "StripPooling(channels=8, kernel=3, rank=1): "
        "rank, the number of spatial axes, must be 2 or 3: a strip is the means over all axes but one.",
    ),
    (
        "StripPooling",
        {"channels": 8, "kernel": 2},
        "StripPooling(channels=8, kernel=2): kernel must be odd, so that it has a centre.",
    ),
    (
        "MixedPoolingModule",
        {"channels": 2},
        "MixedPoolingModule(channels=2, reduction=4) leaves no channel inside: reduction must lie between 1 and 2.",
    ),
    (
        "MixedPoolingModule",
        {"channels": 8, "pools": (3, 0)},
        "MixedPoolingModule(channels=8, reduction=4, pools=(3, 0)): pools must be numbers of bins, each at least 1.",
    ),
    (
        "ExpectationMaximizationAttention",
        {"channels": 8, "bases": 0},
        "ExpectationMaximizationAttention(channels=8, bases=0): bases must be at least 1.",
    ),
    (
        "ExpectationMaximizationAttention",
        {"channels": 8, "norm_momentum": 2},
        "ExpectationMaximizationAttention(channels=8, bases=64, norm_momentum=2): "
        "norm_momentum must lie between 0 and 1, got 2.",
    ),
    (
        "PointwiseSpatialAttention",
        {"channels": 8, "size": (3,)},
        "PointwiseSpatialAttention(channels=8, size=(3,)): "
        "size must be a number of pixels, at least 1, or one for each of 2 axes.",
    ),
    (
        "PointwiseSpatialAttention",
        {"channels": 8, "size": 3, "mode": "gather"},
        "PointwiseSpatialAttention(channels=8, size=3, mode='gather'): "
        "mode must be one of both, collect, distribute; got 'gather'.",
    ),
    (
        "Res2Conv",
        {"channels": 10, "scale": 4},
        "Res2Conv(channels=10, scale=4): scale must divide channels, as each of its pieces has equally many.",
    ),
    (
        "Res2Conv",
        {"channels": 8, "stride": 2},
        "Res2Conv(channels=8, scale=4, stride=2): "
        "a stride above 1 needs first_of_stage=True, which adds no result to a piece of another size.",
    ),
    (
        "Res2Bottleneck",
        {"channels": 8, "planes": 1},
        "Res2Bottleneck(channels=8, planes=1, scale=4, base_width=26) "
        "leaves a piece no channel: planes * base_width must be at least 64.",
    ),
    ("Res2Bottleneck", {"channels": 8, "planes": "4"}, "Res2Bottleneck: planes must be int, got '4'."),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 16, "project": False},
        "ResidualBlock(channels=8, outputs=16, stride=1, project=False) cannot add its input: "
        "leave project out where channels, outputs or stride change the shape.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 3, "bottleneck": True},
        "ResidualBlock(channels=8, outputs=3, stride=1, bottleneck=True) "
        "leaves no channel between the convolutions: outputs must be at least 4.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 8, "hidden": 0},
        "ResidualBlock(channels=8, outputs=8, stride=1, hidden=0) "
        "leaves no channel between the convolutions: hidden must be at least 1.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 8, "preactivation": True, "relu_last": True},
        "ResidualBlock(channels=8, outputs=8, stride=1, preactivation=True, relu_last=True) "
        "has its relu before each convolution: relu_last belongs to the original order.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 8, "padding": "valid"},
        "ResidualBlock(channels=8, outputs=8, stride=1, padding='valid'): "
        "padding must be one of symmetric, same; got 'valid'.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 8, "stride": 0},
        "ResidualBlock(channels=8, outputs=8, stride=0): stride must be at least 1.",
    ),
    (
        "SEResNet",
        {"classes": 10, "depths": (2, 0)},
        "SEResNet(classes=10, depths=(2, 0), bottleneck=True): depths must be whole numbers of at least 1.",
    ),
    (
        "SEResNet",
        {"classes": 10, "depths": (2, 10**9)},
        "SEResNet(classes=10, depths=(2, 1000000000), bottleneck=True): depths must be 1,000 in all at most.",
    ),
    (
        "Res2Conv",
        {"channels": 10**9, "scale": 10**9},
        "Res2Conv(channels=1000000000, scale=1000000000): scale must be 1,000 at most.",
    ),
    ("SEResNet", {"classes": 10, "depths": 18}, "SEResNet: depths must be tuple or list, got 18."),
    (
        "HybridSN",
        {"bands": 12, "size": 9},
        "HybridSN(bands=12, size=9, classes=16) leaves no band: bands must be at least 13.",
    ),
    (
        "HybridSN",
        {"bands": 1, "size": 9, "order": "2d_first", "filters": [8, 16, 32, 12]},
        "HybridSN(bands=1, size=9, classes=16, order='2d_first', filters=(8, 16, 32, 12)) leaves no band: "
        "the last of filters must be at least 13.",
    ),
    (
        "HybridSN",
        {"bands": 30, "size": 8},
        "HybridSN(bands=30, size=8, classes=16) leaves no pixel: size must be at least 9.",
    ),
    (
        "HybridSN",
        {"bands": 30, "size": 9, "dropout": 1},
        "HybridSN(bands=30, size=9, classes=16, dropout=1): dropout must be at least 0 and less than 1.",
    ),
    (
        "HybridSN",
        {"bands": 30, "size": 9, "hidden": (256,)},
        "HybridSN(bands=30, size=9, classes=16, hidden=(256,)): hidden must be two numbers of at least 1.",
    ),
]
