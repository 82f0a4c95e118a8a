"""Answers to the exercises of lesson 04."""

import torch

from stylelib import content_loss, features, gram_matrix, resize, style_loss


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


def my_order():
    return "BFDECAG"


def my_repair(image, loss, rate, steps):
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


def my_lbfgs(image, loss, steps):
    pixels = image.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([pixels], max_iter=1)

    def closure():
        optimizer.zero_grad()
        value = loss(pixels)
        value.backward()
        return value

    for _ in range(steps):
        optimizer.step(closure)
    return pixels.detach()


def my_coarse_to_fine(photo, painting, sizes, paint):
    picture = photo
    for size in sizes:
        picture = paint(resize(picture, size), resize(photo, size), resize(painting, size))
    return picture


def my_targets(camel, painting, network):
    style_layers = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
    with torch.no_grad():
        targets = features(camel, "conv4_2", network)
        painted = features(painting, style_layers, network)
    return targets | {layer: gram_matrix(maps) for layer, maps in painted.items()}


def my_losses(image, targets, network, content_weight, layer_weights):
    maps = features(image, ["conv4_2", *layer_weights], network)
    content = content_loss(maps["conv4_2"], targets["conv4_2"])
    grams = {layer: gram_matrix(maps[layer]) for layer in layer_weights}
    painted = {layer: targets[layer] for layer in layer_weights}
    return content_weight * content + style_loss(grams, painted, layer_weights)


def my_style_transfer(photo, painting, layers, steps):
    style_layers = (1, 6, 11, 20, 29)
    mean = torch.tensor([0.485, 0.458, 0.408]).view(3, 1, 1)

    def look(image):
        maps, found = (image - mean) / 0.225, {}
        for number, layer in enumerate(layers):
            maps = layer(maps)
            found[number] = maps
        return found

    def gram(maps):
        rows = maps.flatten(2)
        return rows @ rows.mT / rows.shape[2]

    def error(new, target):
        return ((new - target) ** 2).mean() / (target**2).mean()

    with torch.no_grad():
        wanted, painted = look(photo)[22], look(painting)
        targets = {number: gram(painted[number]) for number in style_layers}
    pixels = photo.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=0.02)
    for _ in range(steps):
        maps = look(pixels)
        style = sum(error(gram(maps[number]), targets[number]) for number in style_layers) / 5
        optimizer.zero_grad()
        (error(maps[22], wanted) + 3 * style).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()
