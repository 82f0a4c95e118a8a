"""The architecture of VGG-19, by name: which layers there are, in which order, how wide.

It imports nothing, so that whatever only needs the names is there at once.
"""

# Five blocks: how many convolutions, and how many feature maps each of them makes.
# Simonyan, Zisserman (2014), table 1, column E.
BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))

CONVOLUTIONS: dict[str, tuple[int, int]] = {}
"""The 16 convolutions, first to last: how many maps go into each, and how many come out."""

LAYERS: tuple[str, ...] = ()
"""All layers, first to last: ``conv1_1``, ``conv1_2``, ``pool1``, ``conv2_1`` … ``conv5_4``."""

_maps = 3  # a picture: red, green and blue
for _block, (_count, _width) in enumerate(BLOCKS, start=1):
    for _index in range(1, _count + 1):
        CONVOLUTIONS[f"conv{_block}_{_index}"] = (_maps, _width)
        LAYERS += (f"conv{_block}_{_index}",)
        _maps = _width
    if _block < len(BLOCKS):  # the fifth pooling belongs to the classifier
        LAYERS += (f"pool{_block}",)

CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
"""Where Gatys et al. (2016), section 3, compare style; content they compare in `conv4_2`."""

POOLINGS = ("max", "average")
PADDINGS = ("zeros", "replicate")
