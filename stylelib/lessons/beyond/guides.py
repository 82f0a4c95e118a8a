"""Help with the exercises of lesson 06: hints one by one, and a solution for who asks."""

from ..checking import guide

guide(
    "6.1",
    "two numbers for each map, computed over its positions.",
    "the mean over the last two dimensions; and the square root of the mean of (map - its"
    " mean) squared.",
    "mean = maps[0].mean((1, 2))",
    solution="""
def my_mean_std(maps):
    mean = maps[0].mean((1, 2))
    spread = ((maps[0] - mean[:, None, None]) ** 2).mean((1, 2)).sqrt()
    return torch.stack([mean, spread])
""",
)

guide(
    "6.2",
    "project first, then it is sand on a line.",
    "the mean of the squares of (sorted projections of first - sorted projections of second).",
    "one = (direction @ first).sort().values",
    solution="""
def my_gap(first, second, direction):
    one, other = direction @ first, direction @ second
    return ((one.sort().values - other.sort().values) ** 2).mean()
""",
)

guide(
    "6.3",
    "first take away what the painting has, then give it what the photo has.",
    "(painting - its mean) / its standard deviation × the photo's standard deviation + "
    "the photo's mean",
    "mean = painting.mean((2, 3), keepdim=True)",
    solution="""
def my_colors(painting, photo):
    mean, spread = painting.mean((2, 3), keepdim=True), painting.std((2, 3), keepdim=True)
    normal = (painting - mean) / spread
    return normal * photo.std((2, 3), keepdim=True) + photo.mean((2, 3), keepdim=True)
""",
)

guide(
    "6.4",
    "a black position must not count, neither in the sum nor in the number of positions.",
    "the sum over the positions of mask × map i × map j, divided by mask.sum().",
    "flat = maps.flatten(1), and mask.flatten() is a row of the same length.",
    solution="""
def my_region_gram(maps, mask):
    flat = maps.flatten(1)
    return (flat * mask.flatten()) @ flat.T / mask.sum()
""",
)

guide(
    "6.5",
    "each map of each picture for itself: over which dimensions is the mean?",
    "(maps - mean) / standard deviation, both over the dimensions 2 and 3, with keepdim=True",
    "mean = maps.mean((2, 3), keepdim=True)",
    solution="""
def my_instance_norm(maps):
    mean, spread = maps.mean((2, 3), keepdim=True), maps.std((2, 3), keepdim=True)
    return (maps - mean) / spread
""",
)

guide(
    "6.6",
    "it is 6.5 for the photo's maps, and then what 6.3 does at the end.",
    "(photo - its mean) / its standard deviation × the painting's standard deviation + "
    "the painting's mean",
    "normal = (photo - photo.mean((2, 3), keepdim=True)) / photo.std((2, 3), keepdim=True)",
    solution="""
def my_adain(photo, painting):
    def of(maps):
        return maps.mean((2, 3), keepdim=True), maps.std((2, 3), correction=0, keepdim=True)

    (mean, spread), (new_mean, new_spread) = of(photo), of(painting)
    return (photo - mean) / spread * new_spread + new_mean
""",
)

guide(
    "6.7",
    "the loop has the same four lines as in lesson 04. The optimiser holds other numbers.",
    "for each photo: zero_grad, value = loss(network(photo)), backward, step.",
    "for photo in photos:",
    solution="""
def my_training(network, photos, loss, optimizer):
    for photo in photos:
        optimizer.zero_grad()
        value = loss(network(photo))
        value.backward()
        optimizer.step()
    return float(value)
""",
)
