"""Answers to the exercises of lesson 03."""

import torch


def my_correlation(a, b):
    return (a * b).mean()


def my_gram_with_loops(maps):
    channels = len(maps)
    gram = torch.zeros(channels, channels)
    for i in range(channels):
        for j in range(channels):
            gram[i, j] = (maps[i] * maps[j]).mean()
    return gram


def my_gram(maps):
    flat = maps.flatten(start_dim=2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def my_layer_loss(maps, target):
    flat = maps.flatten(start_dim=2)
    gram = flat @ flat.transpose(1, 2) / flat.shape[2]
    return ((gram - target) ** 2).mean()


def my_style_loss(grams, targets, weights):
    loss = 0
    for layer, weight in weights.items():
        loss = loss + weight * ((grams[layer] - targets[layer]) ** 2).mean()
    return loss
