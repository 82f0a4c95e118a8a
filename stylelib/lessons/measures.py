"""How much feature maps differ, as a number that can be compared between layers."""

from torch import Tensor

from ..guards import content_loss


def relative_error(maps: Tensor, target: Tensor) -> Tensor:
    """The content loss of maps (B, C, H, W) divided by the mean square of the target.

    It is 0 for equal maps, and 1 for maps that are 0 everywhere.

    Examples
    --------
    >>> import torch
    >>> relative_error(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[2.0, 0.0]]]]))
    tensor(0.2500)
    """
    return content_loss(maps, target) / target.square().mean()
