"""Helpers of PyTorch's files."""

from __future__ import annotations

from attn_core.ejecting.helpers.shared import WAYS

HELPERS = {
    "ways": WAYS,
    "Affine": '''class Affine(nn.Module):
    """Multiply each channel of an image or a vector by a weight and add a bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        shape = (-1, *[1] * (x.ndim - 2))
        return x * self.weight.view(shape) + self.bias.view(shape)
''',
    "Running": '''class Running(nn.Module):
    """An array that moves in training by a moving average, without a gradient."""

    def __init__(self, *shape: int, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("value", torch.zeros(shape))

    def forward(self) -> Tensor:
        return self.value

    @torch.no_grad()
    def update(self, new: Tensor) -> None:
        """Move towards a new value; a batch without samples has none."""
        if self.training and not new.isnan().any():
            # A new array: the backward pass still reads the old one.
            self.value = self.value.lerp(new, self.momentum)
''',
    "variance_scaling_": '''def variance_scaling_(weight: Tensor) -> None:
    """Draw as TensorFlow 1's `variance_scaling_initializer` does."""
    std = math.sqrt(2.6 / weight.shape[1])
    nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
''',
    "pad_same": '''def pad_same(x: Tensor, window: int, stride: int, value: float = 0.0) -> Tensor:
    """Pad an image as TensorFlow's SAME does: as little as needed, the odd pixel at the end."""
    sides: list[int] = []
    for size in reversed(x.shape[2:]):
        missing = max((-(-size // stride) - 1) * stride + window - size, 0)
        sides += [missing // 2, missing - missing // 2]
    return F.pad(x, sides, value=value)
''',
    "standardise": '''def standardise(x: Tensor, eps: float) -> Tensor:
    """Subtract each channel's mean and divide by its deviation; that of a single pixel is 0."""
    space = tuple(range(2, x.ndim))
    centred = x - x.mean(space, keepdim=True)
    freedom = max(x[0, 0].numel() - 1, 1)
    variance = centred.square().sum(space, keepdim=True) / freedom
    return centred / (variance + eps).sqrt()
''',
    "cut": '''def cut(line: Tensor, images: list[Tensor]) -> list[Tensor]:
    """Cut a line into images of these sizes, one after the other."""
    pieces = line.split([image[0, 0].numel() for image in images], 2)
    return [piece.unflatten(2, image.shape[2:]) for piece, image in zip(pieces, images)]
''',
    "affine_line": '''def affine_line(theta: Tensor, size: int, align_corners: bool) -> Tensor:
    """Return (batch, size, 1): where the affine map takes the pixels of a line, over [-1, 1]."""
    last = max(size - 1, 1) if align_corners else size
    places = torch.arange(1 - size, size, 2, dtype=theta.dtype, device=theta.device) / last
    return (theta[:, :, :1] * places + theta[:, :, 1:]).mT
''',
    "sample_line": '''def sample_line(x: Tensor, grid: Tensor, padding_mode: str, align_corners: bool) -> Tensor:
    """Sample a line at points (batch, size, 1): an image of one row."""
    rows = F.pad(grid, (0, 1)).unsqueeze(1)
    image = x.unsqueeze(2)
    options = {"padding_mode": padding_mode, "align_corners": align_corners}
    return F.grid_sample(image, rows, **options).squeeze(2)
''',
}
