"""Answers to the exercises of lesson 07."""

from stylelib import resize
from stylelib.core.losses import content_loss
from stylelib.core.neighbours import nearest, neighbour_targets


def my_cosine(a, b):
    return (a * b).sum() / ((a**2).sum().sqrt() * (b**2).sum().sqrt())


def my_nearest(wanted, offered):
    wanted, offered = wanted - wanted.mean(0), offered - offered.mean(0)
    wanted = wanted / wanted.norm(dim=1, keepdim=True)
    offered = offered / offered.norm(dim=1, keepdim=True)
    return (wanted @ offered.T).argmax(1)


def my_targets(photo, painting, likeness):
    found = painting[nearest(photo, painting)]
    return (1 - likeness) * found + likeness * photo


def my_loss(picture, painting, likeness):
    targets = neighbour_targets(picture.detach(), painting, likeness)
    return content_loss(picture, targets)


def my_small_to_large(photo, painting, sizes, find_targets, descend):
    picture = photo
    for size in sizes:
        small, picture = resize(photo, size), resize(picture, size)
        query = 0.75 * small + 0.25 * picture
        picture = descend(picture, find_targets(query, resize(painting, size)))
    return picture
