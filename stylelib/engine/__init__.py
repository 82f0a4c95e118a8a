"""The same as `core`, but fast and hard to break: the parts that `Transfer` is made of."""
