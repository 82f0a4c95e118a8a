"""Help with the exercises of lesson 07: hints one by one, and a solution for who asks."""

from ..checking import guide

guide(
    "7.1",
    "multiply number by number and add up; then make it independent of both lengths.",
    "(a · b) / (length of a × length of b)",
    "return (a * b).sum() / ...",
    solution="""
def my_cosine(a, b):
    return (a * b).sum() / ((a**2).sum().sqrt() * (b**2).sum().sqrt())
""",
)

guide(
    "7.2",
    "centre both, divide each row by its length, and all cosines are one matrix product.",
    "argmax, in each row, of wanted @ offered.T",
    "wanted = wanted - wanted.mean(0)",
    solution="""
def my_nearest(wanted, offered):
    wanted, offered = wanted - wanted.mean(0), offered - offered.mean(0)
    wanted = wanted / wanted.norm(dim=1, keepdim=True)
    offered = offered / offered.norm(dim=1, keepdim=True)
    return (wanted @ offered.T).argmax(1)
""",
)

guide(
    "7.3",
    "find the places first, then mix their vectors with the photo's.",
    "(1 - likeness) × the painting's nearest + likeness × the photo's own",
    "found = painting[nearest(photo, painting)]",
    solution="""
def my_targets(photo, painting, likeness):
    found = painting[nearest(photo, painting)]
    return (1 - likeness) * found + likeness * photo
""",
)

guide(
    "7.4",
    "the picture appears twice: as what is compared, and as what asks. Only one of the "
    "two may learn.",
    "content_loss(picture, targets), with the targets from picture.detach()",
    "targets = neighbour_targets(picture.detach(), painting, likeness)",
    solution="""
def my_loss(picture, painting, likeness):
    targets = neighbour_targets(picture.detach(), painting, likeness)
    return content_loss(picture, targets)
""",
)

guide(
    "7.5",
    "three things are resized at each size: the photo, the painting and the picture so far.",
    "for each size: targets from 0.75 × photo + 0.25 × picture; then picture = "
    "descend(picture, targets).",
    "picture = photo, then: for size in sizes:",
    solution="""
def my_small_to_large(photo, painting, sizes, find_targets, descend):
    picture = photo
    for size in sizes:
        small, picture = resize(photo, size), resize(picture, size)
        query = 0.75 * small + 0.25 * picture
        picture = descend(picture, find_targets(query, resize(painting, size)))
    return picture
""",
)
