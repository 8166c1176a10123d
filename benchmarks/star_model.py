"""The star model that `benchmarks.volumes_light` judges: trained on simulated stacks alone, on one core.

    python -m benchmarks.star_model --threads 1          # needs the extra [train]; 15 to 30 minutes

Stacks are simulated by `teasel.training.simulation.simulate_stack`, written as files with their voxel size, and trained
on as anybody would train: it is `teasel train STACKS -o OUT --ndim 3 --representation star` with the settings below,
twice, the second time with `--start-from` the first.
Everything lies under ``.runs/star_model``; a training that was stopped goes on.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from teasel.geometry import VoxelSize
from teasel.images import save_image
from teasel.labels import write_labels
from teasel.training import TrainingConfig
from teasel.training.simulation import simulate_stack

__all__ = ["FIRST", "THEN", "train_star_model"]

RUN = Path(".runs/star_model")
FIRST_SEED, N_STACKS, N_VALIDATION = 1000, 36, 4
PIXEL_UM = 0.25

FIRST = TrainingConfig(
    representation="star",
    ndim=3,
    widths=(16, 32, 64),
    blocks=(1, 1, 1),
    in_channels=1,
    steps=900,
    batch_size=2,
    crop_px=48,
    object_diameter_px=16.0,
    learning_rate=3e-3,
    warmup_steps=40,
    workers=0,
    checkpoint_every=20,
    validate_every=0,
)
THEN = replace(FIRST, steps=700, learning_rate=2e-3, seed=1)
"""On from the first, with a learning rate that falls to nothing again."""


def train_star_model(threads: int) -> Path:
    """Return the model's folder, trained first if need be."""
    from teasel.training import train

    first, model = RUN / "first" / "stars", RUN / "then" / "stars"
    if not (model / "rdf.yaml").exists():
        _simulate(RUN / "simulated")
    if not (first / "rdf.yaml").exists():
        train(replace(FIRST, threads=threads), [RUN / "simulated"], RUN / "first", name="stars")
    if not (model / "rdf.yaml").exists():
        then = replace(THEN, threads=threads, start_from=f"./{first}")
        train(then, [RUN / "simulated"], RUN / "then", name="stars")
    return model


def _simulate(folder: Path) -> None:
    """Write the stacks, the last few for validation."""
    rows = ["id,split"]
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number in range(N_STACKS):
        name = f"{number:02d}"
        rows.append(f"{name},{'train' if number < N_STACKS - N_VALIDATION else 'val'}")
        if (folder / "labels" / f"{name}.tif").exists():
            continue
        made = simulate_stack(FIRST_SEED + number)
        size = VoxelSize(PIXEL_UM * made.anisotropy, PIXEL_UM, PIXEL_UM)
        save_image(folder / "images" / f"{name}.tif", made.image, axes="zyx", voxel_size_um=size)
        write_labels(folder / "labels" / f"{name}.tif", made.labels, size)
    (folder / "split.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def main() -> None:
    """Train and say where the model is."""
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("--threads", type=int, default=1)
    print(train_star_model(options.parse_args().threads))


if __name__ == "__main__":
    main()
