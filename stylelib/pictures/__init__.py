"""Pictures as tensors: load, resize, recolour and save them."""
