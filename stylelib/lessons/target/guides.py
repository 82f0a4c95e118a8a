"""Help with the exercises of lesson 04: hints one by one, and a solution for who asks."""

from ..checking import guide

guide(
    "4.1",
    "each loss counts as much as its own weight says.",
    "content_weight × content + style_weight × style",
    "return content_weight * content + ...",
    solution="""
def my_target_loss(content, style, content_weight, style_weight):
    return content_weight * content + style_weight * style
""",
)

guide(
    "4.2",
    "read the numbered list above this exercise: what must be there before what?",
    "pixels, then an optimiser for them, then the loop; in the loop: clear, compute, move, clamp.",
    'return "BFD...."',
    solution="""
def my_order():
    return "BFDECAG"
""",
)

guide(
    "4.3",
    "it is the loop of part 3, with one more line in it.",
    "in each step: zero_grad, loss, backward, step, clamp_.",
    "pixels = image.clone().requires_grad_(), and torch.optim.Adam([pixels], lr=rate)",
    solution="""
def my_steps(image, loss, rate, steps):
    pixels = image.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(pixels).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()
""",
)

guide(
    "4.4",
    "one fault is in the first line, one at the beginning of the loop, one at its end.",
    "whose pixels are changed? What happens to the gradient of the step before? How often"
    " does the loop run?",
    "pixels = image.clone().requires_grad_()",
    solution="""
def my_repair(image, loss, rate, steps):
    pixels = image.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(pixels).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()
""",
)

guide(
    "4.5",
    "requires_grad_ can be switched off for weights, and switched on for pixels.",
    "requires_grad_(False) for each parameter of the network, requires_grad_() for a copy"
    " of the camel.",
    "for parameter in network.parameters():",
    solution="""
def my_freeze(network, camel):
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return camel.clone().requires_grad_()
""",
)

guide(
    "4.6",
    "the closure is a function inside your function. It has no inputs, and returns the loss.",
    "def closure(): clear the gradient, compute the loss, backward, return the loss. Then"
    " optimizer.step(closure), as often as there are steps.",
    "optimizer = torch.optim.LBFGS([pixels], max_iter=1)",
    solution="""
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
""",
)

guide(
    "4.7",
    "the difference between each row and the next is one subtraction of two slices.",
    "the mean square of the differences down, plus the mean square of the differences across.",
    "down = image[..., 1:, :] - image[..., :-1, :]",
    solution="""
def my_total_variation(image):
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[..., :, 1:] - image[..., :, :-1]
    return (down**2).mean() + (right**2).mean()
""",
)

guide(
    "4.8",
    "keep the picture so far in one variable, and enlarge it at the beginning of each size.",
    "picture = paint(picture at this size, photo at this size, painting at this size)",
    "picture = photo, then: for size in sizes:",
    solution="""
def my_coarse_to_fine(photo, painting, sizes, paint):
    picture = photo
    for size in sizes:
        picture = paint(resize(picture, size), resize(photo, size), resize(painting, size))
    return picture
""",
)

guide(
    "4.9",
    "two pictures, two calls of features. One result is kept as it is, of the others the "
    "Gram matrices.",
    '{"conv4_2": maps of the camel, layer: gram_matrix(maps of the painting) for each style layer}',
    'targets = features(camel, "conv4_2", network)',
    solution="""
def my_targets(camel, painting, network):
    style_layers = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
    with torch.no_grad():
        targets = features(camel, "conv4_2", network)
        painted = features(painting, style_layers, network)
    return targets | {layer: gram_matrix(maps) for layer, maps in painted.items()}
""",
)

guide(
    "4.10",
    "look at the picture once, at all six layers, and use what you see twice.",
    "content_weight × content_loss + style_loss(grams, the targets of the style layers, "
    "layer_weights)",
    'maps = features(image, ["conv4_2", *layer_weights], network)',
    solution="""
def my_losses(image, targets, network, content_weight, layer_weights):
    maps = features(image, ["conv4_2", *layer_weights], network)
    content = content_loss(maps["conv4_2"], targets["conv4_2"])
    grams = {layer: gram_matrix(maps[layer]) for layer in layer_weights}
    painted = {layer: targets[layer] for layer in layer_weights}
    return content_weight * content + style_loss(grams, painted, layer_weights)
""",
)

guide(
    "4.11",
    "targets once, before the loop. Losses in each step.",
    "with torch.no_grad(): targets; then 4.3, with the losses of 4.10 in the place of "
    "loss(pixels).",
    "pixels = camel.clone().requires_grad_()",
    solution="""
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
""",
)

guide(
    "4.12",
    "write a function look(image) first, which normalises and walks through the layers. "
    "Everything else you have written before.",
    "targets: look(photo)[22], and the Gram matrices of look(painting). Then the loop "
    "with look(pixels).",
    "mean = torch.tensor([0.485, 0.458, 0.408]).view(3, 1, 1)",
    solution="""
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
""",
)
