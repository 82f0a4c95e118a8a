"""Answers to the exercises of lesson 04."""

import torch

from stylelib import content_loss, features, gram_matrix, style_loss


def my_target_loss(content, style, content_weight, style_weight):
    return content_weight * content + style_weight * style


def my_steps(image, loss, rate, steps):
    pixels = image.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(pixels).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()


def my_freeze(network, camel):
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return camel.clone().requires_grad_()


def my_total_variation(image):
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[..., :, 1:] - image[..., :, :-1]
    return (down**2).mean() + (right**2).mean()


def my_paint(camel, painting, network, content_weight, layer_weights, steps):
    with torch.no_grad():
        wanted = features(camel, "conv4_2", network)["conv4_2"]
        painted = features(painting, layer_weights, network)
    targets = {layer: gram_matrix(maps) for layer, maps in painted.items()}
    pixels = camel.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=0.02)
    for _ in range(steps):
        maps = features(pixels, ["conv4_2", *layer_weights], network)
        grams = {layer: gram_matrix(maps[layer]) for layer in layer_weights}
        content = content_weight * content_loss(maps["conv4_2"], wanted)
        optimizer.zero_grad()
        (content + style_loss(grams, targets, layer_weights)).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()
