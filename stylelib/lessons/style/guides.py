"""Help with the exercises of lesson 03: hints one by one, and a solution for who asks."""

from ..checking import guide

guide(
    "3.1",
    "it is large only where both maps are large. Which operation on two numbers has that property?",
    "the mean, over all positions, of a times b, position by position.",
    "return (a * b)....",
    solution="""
def my_correlation(a, b):
    return (a * b).mean()
""",
)

guide(
    "3.2",
    "each entry is what you computed in 3.1, for one pair of maps.",
    "gram[i, j] is the mean of maps[i] * maps[j], for every i and every j.",
    "gram = torch.zeros(len(maps), len(maps)), then for i in range(len(maps)): and inside"
    " it a second loop.",
    solution="""
def my_gram_with_loops(maps):
    channels = len(maps)
    gram = torch.zeros(channels, channels)
    for i in range(channels):
        for j in range(channels):
            gram[i, j] = (maps[i] * maps[j]).mean()
    return gram
""",
)

guide(
    "3.3",
    "make one long row of each map. A matrix product multiplies each row with each other "
    "row and adds up.",
    "rows @ rows with its last two dimensions swapped, divided by the number of positions.",
    "rows = maps.flatten(start_dim=2), of shape (pictures, channels, positions).",
    solution="""
def my_gram(maps):
    flat = maps.flatten(start_dim=2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]
""",
)

guide(
    "3.4",
    "compare two Gram matrices in the way in which lesson 02 compared feature maps.",
    "the mean of the squares of (Gram matrix of the maps - target).",
    "gram = gram_matrix(maps)",
    solution="""
def my_layer_loss(maps, target):
    flat = maps.flatten(start_dim=2)
    gram = flat @ flat.transpose(1, 2) / flat.shape[2]
    return ((gram - target) ** 2).mean()
""",
)

guide(
    "3.5",
    "it is 3.4 for each layer, times its weight, added up.",
    "the sum over the layers of weights[layer] times the mean of (grams[layer] - "
    "targets[layer]) squared.",
    "loss = 0, then: for layer, weight in weights.items():",
    solution="""
def my_style_loss(grams, targets, weights):
    loss = 0
    for layer, weight in weights.items():
        loss = loss + weight * ((grams[layer] - targets[layer]) ** 2).mean()
    return loss
""",
)
