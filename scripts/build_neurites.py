"""Train and package `neurites`, the model of neurites in electron microscopy that ships with Teasel.

Run from the root of the checkout, with the folder that holds the image sets:

    python scripts/build_neurites.py --data DATA --minutes 35

Trained on gala's FIB-SEM training volume, the SNEMI3D mini volume and FIB-25, of whose lower half planes 93 to 124 are
held out. The threshold is chosen on gala's second volume, which is not trained on; the card tells the scores on the
planes held out. Checkpoints lie under .runs/neurites/; --package skips training.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from teasel.images import open_image
from teasel.labels import read_labels
from teasel.networks.anisotropic import Anisotropic
from teasel.representations.affinity import Affinity
from teasel.training.augment import Sample, serial_sections
from teasel.training.data import normalise
from teasel.training.losses import LOSSES

RUN = Path(".runs/neurites")
CROP = (32, 96, 96)
WIDTHS = (20, 40, 80, 112)
HELD_OUT = 93
"""First plane of FIB-25's lower half that is not trained on; four planes before it are in neither part."""

REPRESENTATION = Affinity()


@dataclass(frozen=True)
class Volume:
    """A training volume: normalised image (z, y, x), labels with 0 on borders, and whether z is like y and x."""

    name: str
    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    isotropic: bool
    share: float


def read(data: Path, image: str, labels: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Read an image, normalised, and its labels."""
    pixels = open_image(data / image, axes="zyx").read().astype(np.float32)
    return normalise(pixels), np.asarray(read_labels(data / labels)).astype(np.int32)


def fib25(data: Path) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Read the lower half of FIB-25."""
    return read(data, "fib25_medulla_fibsem/images/lower.tif", "fib25_medulla_fibsem/labels/lower.tif")


def training_volumes(data: Path) -> list[Volume]:
    """Read what is trained on."""
    image, labels = fib25(data)
    end = HELD_OUT - 4
    gala = read(data, "gala_fibsem_medulla_small/images/train.tif", "gala_fibsem_medulla_small/labels/train.tif")
    snemi = read(data, "snemi3d_mini/images/ac4_mini.tif", "snemi3d_mini/labels/ac4_mini.tif")
    return [
        Volume("fib25", image[:end], with_borders(labels[:end], True), True, 0.6),
        Volume("gala", gala[0], with_borders(gala[1], True), True, 0.2),
        Volume("snemi", snemi[0], with_borders(snemi[1], False), False, 0.2),
    ]


def with_borders(labels: NDArray[np.int32], isotropic: bool) -> NDArray[np.int32]:
    """Make voxels next to another label background: a membrane two voxels wide at least."""
    border = np.zeros(labels.shape, bool)
    for axis in (0, 1, 2) if isotropic else (1, 2):
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        differ = labels[tuple(low)] != labels[tuple(high)]
        border[tuple(low)] |= differ
        border[tuple(high)] |= differ
    return np.where(border, 0, labels)


AUGMENTATION = serial_sections()


def crop(volumes: list[Volume], rng: np.random.Generator) -> tuple[NDArray[np.float32], dict]:
    """Cut a crop, turned and mirrored in every way its volume allows, and encode it."""
    volume = volumes[rng.choice(len(volumes), p=[v.share for v in volumes])]
    order = rng.permutation(3) if volume.isotropic else np.array([0, *(1 + rng.permutation(2))])
    image, labels = volume.image.transpose(order), volume.labels.transpose(order)
    size = [min(c, n) for c, n in zip(CROP, image.shape, strict=True)]
    start = [rng.integers(0, n - s + 1) for n, s in zip(image.shape, size, strict=True)]
    flips = tuple(slice(None, None, int(rng.choice((-1, 1)))) for _ in range(3))
    box = tuple(slice(a, a + s) for a, s in zip(start, size, strict=True))
    image, labels = image[box][flips], labels[box][flips]
    pad = [(0, c - s) for c, s in zip(CROP, size, strict=True)]
    image = np.pad(image, pad, mode="symmetric")
    labels = np.pad(labels, pad, constant_values=-1)
    sample = AUGMENTATION(Sample(np.ascontiguousarray(image[None]), np.ascontiguousarray(labels)), rng)
    return sample.image, dict(REPRESENTATION.encode(sample.labels))


def make_network() -> Anisotropic:
    """Build the untrained network."""
    heads = [{"name": h.name, "channels": h.channels, "stride": 1} for h in REPRESENTATION.heads(3)]
    return Anisotropic(1, heads, widths=WIDTHS)


def train(volumes: list[Volume], *, steps: int, minutes: float, seed: int = 0) -> None:
    """Train for so many steps or minutes, whatever ends first; the learning rate follows the one that is nearer."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    network, average = make_network(), make_network()
    average.load_state_dict(network.state_dict())
    network.to(memory_format=torch.channels_last_3d)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
    began, losses, history = time.monotonic(), [], []
    done, step = 0.0, 0
    while done < 1:
        done = max(step / steps, (time.monotonic() - began) / (60 * minutes))
        rate = 2e-3 * min(1, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * min(done, 1))))
        for group in optimizer.param_groups:
            group["lr"] = rate
        image, targets = crop(volumes, np.random.default_rng([seed, step]))
        batch = torch.from_numpy(np.ascontiguousarray(image))[None].contiguous(memory_format=torch.channels_last_3d)
        network.train()
        with torch.autocast("cpu", torch.bfloat16):
            outputs = network(batch)
        loss = sum(
            h.weight * LOSSES[h.loss](outputs[h.name], torch.from_numpy(targets[h.name])[None])
            for h in REPRESENTATION.heads(3)
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        decay = min(0.995, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
                if mean.dtype.is_floating_point:
                    mean.lerp_(now, 1 - decay)
                else:
                    mean.copy_(now)
        losses.append(float(loss.detach()))
        if step % 50 == 0 or done >= 1:
            row = {"step": step, "loss": float(np.mean(losses)), "seconds": round(time.monotonic() - began)}
            history.append(row)
            losses.clear()
            logging.info("%s", row)
        if step % 200 == 0 or done >= 1:
            torch.save(average.state_dict(), RUN / "average.pt")
            (RUN / "history.json").write_text(json.dumps(history), encoding="utf-8")


def main() -> None:
    """Read the command line; train; package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the image sets")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--minutes", type=float, default=35)
    parser.add_argument("--package", action="store_true", help="package what was trained before")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    RUN.mkdir(parents=True, exist_ok=True)
    if not options.package:
        train(training_volumes(options.data), steps=options.steps, minutes=options.minutes)


if __name__ == "__main__":
    main()
