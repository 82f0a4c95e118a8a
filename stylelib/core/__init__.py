"""The book: style transfer in four short modules. Read vgg, losses, statistics, loop."""
