"""VGG-19 as plain PyTorch layers: what the last exercise of lesson 04 paints with."""

from torch import nn

from ...core.layers import LAYERS
from ...core.vgg import VGG19
from ...engine.network import default_network

MEAN, STD = (0.485, 0.458, 0.408), 0.225
"""What the embedded weights expect a picture to be normalised with, to three digits."""


def plain_vgg19(network: VGG19 | None = None, last: str = "conv5_1") -> nn.Sequential:
    """The layers of VGG-19 one after the other, as torchvision has them in ``vgg19().features``.

    Parameters
    ----------
    network : VGG19, optional
        Whose weights to copy; the embedded ones by default.
    last : str
        The last convolution; a ReLU follows it.

    Returns
    -------
    torch.nn.Sequential
        Of `Conv2d`, `ReLU` and `MaxPool2d`, for pictures normalised with `MEAN` and `STD`. Nothing
        is frozen.

    Examples
    --------
    >>> plain_vgg19(last="conv1_2")
    Sequential(
      (0): Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (1): ReLU()
      (2): Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (3): ReLU()
    )
    """
    network = network or default_network()
    layers: list[nn.Module] = []
    for name in LAYERS[: LAYERS.index(last) + 1]:
        if name.startswith("pool"):
            layers.append(nn.MaxPool2d(2))
            continue
        known = network.convolutions[name]
        assert isinstance(known, nn.Conv2d)
        copied = nn.Conv2d(known.in_channels, known.out_channels, 3, padding=1)
        copied.load_state_dict(known.state_dict())
        layers += [copied, nn.ReLU()]
    return nn.Sequential(*layers)
