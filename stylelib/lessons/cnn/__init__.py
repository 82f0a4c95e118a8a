"""Lesson 01, what a CNN sees.

`kernels`, `anatomy` and `observations` compute, without drawing anything. The figures are
sorted by what they show: `figures_convolution` (kernels and ReLU), `figures_pooling`,
`figures_network` (shapes, weights, receptive fields) and `figures_maps` (feature maps and
the patches that excite them). `controls` puts sliders on them; `exercises` has the checks.
"""
