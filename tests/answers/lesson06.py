"""Answers to the exercises of lesson 06."""

import torch


def my_mean_std(maps):
    mean = maps[0].mean((1, 2))
    spread = ((maps[0] - mean[:, None, None]) ** 2).mean((1, 2)).sqrt()
    return torch.stack([mean, spread])


def my_gap(first, second, direction):
    one, other = direction @ first, direction @ second
    return ((one.sort().values - other.sort().values) ** 2).mean()


def my_colors(painting, photo):
    mean, spread = painting.mean((2, 3), keepdim=True), painting.std((2, 3), keepdim=True)
    normal = (painting - mean) / spread
    return normal * photo.std((2, 3), keepdim=True) + photo.mean((2, 3), keepdim=True)


def my_region_gram(maps, mask):
    flat = maps.flatten(1)
    return (flat * mask.flatten()) @ flat.T / mask.sum()


def my_instance_norm(maps):
    mean, spread = maps.mean((2, 3), keepdim=True), maps.std((2, 3), keepdim=True)
    return (maps - mean) / spread


def my_adain(photo, painting):
    def of(maps):
        return maps.mean((2, 3), keepdim=True), maps.std((2, 3), correction=0, keepdim=True)

    (mean, spread), (new_mean, new_spread) = of(photo), of(painting)
    return (photo - mean) / spread * new_spread + new_mean


def my_training(network, photos, loss, optimizer):
    for photo in photos:
        optimizer.zero_grad()
        value = loss(network(photo))
        value.backward()
        optimizer.step()
    return float(value)
