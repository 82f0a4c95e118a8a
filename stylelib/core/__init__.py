"""The book: style transfer in five short modules. Read layers, vgg, losses, statistics, loop."""
