"""Heads of detectors in the forms that TensorFlow 1 programs have: boxes and scores of each place and anchor."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from tf1_parts import conv, stem, v1

ANCHORS = np.array([[1.25, 1.625], [2.0, 3.75], [4.125, 2.875]], np.float32)
CLASSES = 2


def open_image() -> Any:
    return v1.placeholder(tf.float32, [None, None, None, 3], name="input")


def scales(x: Any) -> tuple[Any, Any]:
    """Return an image and one half as large."""
    y = stem(x)
    return y, tf.nn.relu(conv(y, "half", 8, stride=2))


def yolo_of_meshgrids() -> Any:
    """Of a grid by `meshgrid` and the stride by the sizes of both images; all scales in one row of boxes."""
    x = open_image()
    boxes, scores = [], []
    for k, y in enumerate(scales(x)):
        y = conv(y, f"detect_{k}", 3 * (5 + CLASSES), kernel=1)
        size = tf.shape(y)[1:3]
        stride = tf.cast(tf.shape(x)[1:3] / size, tf.float32)
        y = tf.reshape(y, [-1, size[0], size[1], 3, 5 + CLASSES])
        centers, lengths, sure, classes = tf.split(y, [2, 2, 1, CLASSES], axis=-1)
        columns, rows = tf.meshgrid(tf.range(size[1]), tf.range(size[0]))
        grid = tf.concat([tf.reshape(columns, [-1, 1]), tf.reshape(rows, [-1, 1])], axis=-1)
        grid = tf.cast(tf.reshape(grid, [size[0], size[1], 1, 2]), tf.float32)
        centers = (tf.sigmoid(centers) + grid) * stride[::-1]
        lengths = tf.exp(lengths) * (ANCHORS / (1 + k)) * stride[::-1]
        boxes.append(tf.reshape(tf.concat([centers, lengths], -1), [-1, size[0] * size[1] * 3, 4]))
        scores.append(tf.reshape(tf.sigmoid(sure) * tf.sigmoid(classes), [-1, size[0] * size[1] * 3, CLASSES]))
    return {"output": tf.concat(boxes, 1), "output_scores": tf.concat(scores, 1)}


def yolo_of_one_size() -> Any:
    """Of a stated size: the grid is a constant, and every anchor of every place a row."""
    x = v1.placeholder(tf.float32, [None, 12, 10, 3], name="input")
    y = conv(stem(x), "detect", 3 * (5 + CLASSES), kernel=1)
    y = tf.reshape(y, [-1, 3 * 12 * 10, 5 + CLASSES])
    centers, lengths, sure, classes = tf.split(y, [2, 2, 1, CLASSES], axis=-1)
    a, b = tf.meshgrid(tf.range(10, dtype=tf.float32), tf.range(12, dtype=tf.float32))
    grid = tf.concat([tf.reshape(a, (-1, 1)), tf.reshape(b, (-1, 1))], axis=-1)
    grid = tf.reshape(tf.tile(grid, [1, 3]), [1, -1, 2])
    centers = (tf.sigmoid(centers) + grid) * 8.0
    lengths = tf.exp(lengths) * tf.tile(ANCHORS, [120, 1]) * 8.0
    return tf.concat([centers, lengths, tf.sigmoid(sure), tf.sigmoid(classes)], -1)


def yolo_of_shares() -> Any:
    """Boxes in shares of the image, as YOLO 2 has them; each number by itself."""
    y = conv(stem(open_image()), "detect", 3 * (5 + CLASSES), kernel=1)
    size = tf.shape(y)
    y = tf.reshape(y, [size[0], size[1], size[2], 3, 5 + CLASSES])
    high, wide = tf.cast(size[1], tf.float32), tf.cast(size[2], tf.float32)
    columns = tf.reshape(tf.tile(tf.range(wide), [size[1]]), [1, size[1], size[2], 1])
    rows = tf.reshape(tf.range(high), [1, -1, 1, 1])
    left = (tf.sigmoid(y[..., 0]) + columns) / wide
    top = (tf.sigmoid(y[..., 1]) + rows) / high
    width = tf.exp(y[:, :, :, :, 2]) * ANCHORS[:, 0] / wide
    height = tf.exp(y[..., 3]) * ANCHORS[:, 1] / high
    return tf.concat([tf.stack([left, top, width, height], -1), tf.nn.softmax(y[..., 5:])], -1)


def ssd() -> Any:
    """Boxes and classes of two scales by layers of their own; a softmax over rows, as slim has it."""
    boxes, scores = [], []
    for k, y in enumerate(scales(open_image())):
        size = tf.shape(y)
        shape = [size[0], size[1], size[2], 3]
        boxes.append(tf.reshape(tf.reshape(conv(y, f"loc_{k}", 12), [*shape, 4]), [size[0], -1, 4]))
        logits = tf.reshape(conv(y, f"conf_{k}", 3 * CLASSES), [*shape, CLASSES])
        rows = tf.nn.softmax(tf.reshape(logits, [-1, CLASSES]))
        scores.append(tf.reshape(tf.reshape(rows, tf.shape(logits)), [size[0], -1, CLASSES]))
    return {"output": tf.concat(boxes, 1), "output_scores": tf.concat(scores, 1)}


def object_detection_api() -> Any:
    """Boxes with an axis for their code, that goes again once the scales are one."""
    boxes, scores = [], []
    for k, y in enumerate(scales(open_image())):
        size = tf.shape(y)
        count = size[1] * size[2] * 3
        boxes.append(tf.reshape(conv(y, f"box_{k}", 12), tf.stack([size[0], count, 1, 4])))
        scores.append(tf.reshape(conv(y, f"class_{k}", 3 * CLASSES), tf.stack([size[0], count, CLASSES])))
    return {"output": tf.squeeze(tf.concat(boxes, 1), 2), "output_scores": tf.sigmoid(tf.concat(scores, 1))}


def region_proposals() -> Any:
    """Faster R-CNN: a softmax over two scores of each anchor, by way of channels first."""
    y = conv(stem(open_image()), "rpn", 6, kernel=1)
    first = tf.transpose(y, [0, 3, 1, 2])
    size = tf.shape(first)
    pairs = tf.transpose(tf.reshape(first, [size[0], 2, -1, size[3]]), [0, 2, 3, 1])
    back = tf.transpose(tf.nn.softmax(pairs), [0, 3, 1, 2])
    back = tf.reshape(back, tf.concat([[size[0]], [6], [tf.shape(y)[1]], [tf.shape(y)[2]]], 0))
    return tf.transpose(back, [0, 2, 3, 1])


DETECTORS = (
    yolo_of_meshgrids,
    yolo_of_one_size,
    yolo_of_shares,
    ssd,
    object_detection_api,
    region_proposals,
)
