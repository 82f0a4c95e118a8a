"""A network that paints in one style in a single pass, and how it is trained."""
