"""The same as the book, fast and hard to break: what `Transfer` is composed of."""
