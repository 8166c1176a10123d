"""One simulated image, described in numbers: optics, spots, what lies behind them, and the camera."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from teasel.errors import ParameterError

__all__ = ["Scene", "random_scene"]


@dataclass(frozen=True)
class Scene:
    """Describe an image of spots; `simulate` draws it.

    Parameters
    ----------
    sigma_px : float
        Standard deviation of the point spread function in y and x, in pixels, above 0.
    sigma_z_px : float
        The same along z, in planes; used in 3D only.
    sigma_spread : float
        Relative standard deviation of the width from spot to spot (defocus).
    ellipticity : float
        Longest over shortest width in the plane, 1 or more; the same direction for all spots.
    halo : float
        Share of a spot's height that is in a skirt of 2.5 times the width (Airy rings, scattered light), 0 to 1.
    density : float
        Spots per pixel, 0 or more.
    clustering : float
        Share of the spots that lie in clusters, 0 to 1.
    in_cells : bool
        Whether spots lie in cells only, where there are cells.
    detectability : float
        Height of the median spot after a filter matched to it, in standard deviations of what the filter gives without
        spots; 4 is hardly seen, 50 is plain.
    brightness_spread : float
        Standard deviation of the logarithm of brightness from spot to spot.
    dimmed : float
        Share of the spots that are fainter by a factor drawn evenly from 0 to 1, as out of focus or with few labels.
    off_target : float
        Puncta per spot that look like spots and are none, as from probes bound elsewhere: 0.05 to 0.3 times as bright
        as the median spot, and up to 0.45 for single ones.
    cells : int
        Number of cells.
    cell_contrast : float
        Brightness of cells over the ground, in units of the ground.
    membrane : float
        Extra brightness of a cell's rim, in the same units.
    texture : float
        Standard deviation of smooth structure, larger than spots, in the same units.
    blobs : float
        Autofluorescent bodies per pixel, twice to six times as wide as spots.
    filaments : int
        Number of thin winding lines.
    vignetting : float
        Loss of illumination at the corners, 0 to 1.
    photons : float
        Photons per pixel on the ground: fewer is noisier.
    read_noise : float
        Standard deviation of the camera's noise, in photons.
    noise_blur_px : float
        Width over which noise is correlated, as after resampling.
    projected : int
        Number of planes of which the image is a maximum projection, 1 for none.
    hot_pixels : float
        Bright single pixels per pixel.
    pattern : float
        Height of a fixed pattern of rows and columns, in standard deviations of the noise.
    levels : int
        Number of grey values that are kept, as in 8-bit pictures; 0 for all.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    sigma_px: float = 1.4
    sigma_z_px: float = 1.4
    sigma_spread: float = 0.1
    ellipticity: float = 1.0
    halo: float = 0.0
    density: float = 0.002
    clustering: float = 0.0
    in_cells: bool = False
    detectability: float = 20.0
    brightness_spread: float = 0.3
    dimmed: float = 0.0
    off_target: float = 0.0
    cells: int = 0
    cell_contrast: float = 1.0
    membrane: float = 0.0
    texture: float = 0.0
    blobs: float = 0.0
    filaments: int = 0
    vignetting: float = 0.0
    photons: float = 100.0
    read_noise: float = 3.0
    noise_blur_px: float = 0.0
    projected: int = 1
    hot_pixels: float = 0.0
    pattern: float = 0.0
    levels: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < float("inf"):
                raise ParameterError(f"{field.name} is {value}; expected 0 or more")
        for name in ("sigma_px", "sigma_z_px", "photons"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected above 0")
        for name in ("halo", "clustering", "dimmed", "vignetting"):
            if getattr(self, name) > 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected 0 to 1")
        if self.ellipticity < 1 or self.projected < 1:
            raise ParameterError(f"ellipticity {self.ellipticity}, projected {self.projected}; expected 1 or more")

    def sigmas(self, ndim: int) -> tuple[float, ...]:
        """Width along each axis, (z,) y, x."""
        return (self.sigma_z_px, self.sigma_px, self.sigma_px)[-ndim:]


def random_scene(random: np.random.Generator) -> Scene:
    """Draw a scene from the wide range of images that spots are looked for in.

    Parameters
    ----------
    random : numpy.random.Generator
        Where the numbers come from.

    Returns
    -------
    Scene
        Single-molecule FISH in cells and tissue, in situ sequencing, live-cell foci, beads; sharp and blurred, sparse
        and crowded, plain and hardly visible.
    """

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    def sometimes(share: float, value: float) -> float:
        return value if random.random() < share else 0.0

    sigma = log_uniform(0.8, 2.8)
    cells = int(random.integers(1, 7)) if random.random() < 0.55 else 0
    off_target = sometimes(0.2, log_uniform(0.2, 8))
    scene = Scene(
        sigma_px=sigma,
        sigma_z_px=sigma * random.uniform(0.5, 1.5),
        sigma_spread=random.uniform(0.0, 0.2),
        ellipticity=1 + sometimes(0.4, random.uniform(0, 0.35)),
        halo=sometimes(0.4, random.uniform(0.02, 0.15)),
        density=min(log_uniform(2e-4, 1.2e-2), 0.06 / sigma**2),
        clustering=sometimes(0.35, random.uniform(0.2, 0.9)),
        in_cells=bool(random.random() < 0.6),
        detectability=log_uniform(12 if off_target else 5, 120),
        brightness_spread=random.uniform(0.0, 0.5 if off_target else 1.1),
        dimmed=0.0 if off_target else sometimes(0.35, random.uniform(0.2, 1.0)),
        off_target=off_target,
        cells=cells,
        cell_contrast=log_uniform(0.2, 8),
        membrane=sometimes(0.3, log_uniform(0.1, 3)),
        texture=sometimes(0.75, log_uniform(0.02, 1.0)),
        blobs=sometimes(0.45, log_uniform(1e-4, 1.5e-3)),
        filaments=int(random.integers(1, 7)) if random.random() < 0.2 else 0,
        vignetting=sometimes(0.5, random.uniform(0, 0.6)),
        photons=log_uniform(5, 3000),
        read_noise=log_uniform(0.5, 15),
    )
    return replace(
        scene,
        noise_blur_px=sometimes(0.35, random.uniform(0.3, 0.8)),
        projected=int(random.integers(3, 20)) if random.random() < 0.25 else 1,
        hot_pixels=sometimes(0.2, log_uniform(2e-5, 1e-3)),
        pattern=sometimes(0.15, random.uniform(0.3, 2)),
        levels=int(random.integers(60, 256)) if random.random() < 0.25 else 0,
    )
