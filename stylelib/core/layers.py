"""The architecture of VGG-19, by name: which layers there are, in which order, how wide.

This module imports nothing, so that reading the names does not load PyTorch.
"""

# Five blocks: how many convolutions, and how many feature maps each of them makes.
# Simonyan, Zisserman (2014), table 1, column E.
BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))

CONVOLUTIONS: dict[str, tuple[int, int]] = {}
"""The 16 convolutions, first to last, with the number of input and output channels."""

LAYERS: tuple[str, ...] = ()
"""The layers in order, ``conv1_1``, ``conv1_2``, ``pool1``, ``conv2_1`` … ``conv5_4``."""

_channels = 3  # red, green and blue
for _block, (_count, _width) in enumerate(BLOCKS, start=1):
    for _index in range(1, _count + 1):
        CONVOLUTIONS[f"conv{_block}_{_index}"] = (_channels, _width)
        LAYERS += (f"conv{_block}_{_index}",)
        _channels = _width
    if _block < len(BLOCKS):  # pool5 is left out: no loss uses it
        LAYERS += (f"pool{_block}",)

CONTENT_LAYER = "conv4_2"
"""The content layer of Gatys et al. (2016), section 3."""

STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
"""The style layers of Gatys et al. (2016), section 3."""

NEIGHBOUR_LAYERS = tuple(
    name for name in LAYERS[: LAYERS.index("conv4_1") + 1] if name in CONVOLUTIONS
)
"""The layers whose features are compared place by place; see `core.neighbours`."""

POOLINGS = ("max", "average")
PADDINGS = ("zeros", "replicate")
