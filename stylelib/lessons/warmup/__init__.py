"""The warm-up before lesson 01: tensors."""
