"""Answers to the exercises of lesson 02."""

import torch

from stylelib import features


def my_mse(maps, target):
    return ((maps - target) ** 2).mean()


def my_content_loss(image, photo, layer):
    maps = features(image, layer)[layer]
    target = features(photo, layer)[layer]
    return ((maps - target) ** 2).mean()


def my_relative_error(maps, target):
    return ((maps - target) ** 2).mean() / (target**2).mean()


def my_gradient(maps, target):
    return 2 * (maps - target) / maps.numel()


def my_step(image, loss, rate):
    pixels = image.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(pixels), pixels)
    return image - rate * gradient
