"""The book, in six short modules: layers, vgg, losses, statistics, loop, neighbours."""
