"""The numbers are CellProfiler's: compared with the mathematics under it (centrosome, mahotas, scikit-image).

CellProfiler itself needs a display and a database server, so each module's recipe is repeated here object by object
with the functions it calls. Where Teasel differs on purpose, docs/measurements.md says so, and the recipe here is the
one for a single object.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage.measure import regionprops, regionprops_table

from teasel.geometry import VoxelSize
from teasel.measurement import measure
from teasel.measurement.features import find
from tests.synthetic import discs, random_labels, touching

centrosome = pytest.importorskip("centrosome.cpmorphology")
CHANNELS = ("A", "B")


def picture(shape, seed):
    rng = np.random.default_rng(seed)
    image = ndi.gaussian_filter(rng.normal(size=(2, *shape)), (0, *[1.0] * len(shape)))
    image[1] += 0.7 * image[0]
    image -= image.min()
    return image / image.max()


def make(kind):
    labels = {
        "ragged": lambda: random_labels((110, 130), 25, seed=3),
        "touching": lambda: touching((120, 110), seed=4, n=25),
        "discs": lambda: discs((120, 120), n=14, radius=7.3, seed=5),
        "volume": lambda: touching((20, 40, 44), seed=8, n=14),
    }[kind]()
    return labels, picture(labels.shape, 6)


@pytest.fixture(scope="module", params=["ragged", "touching", "discs"])
def plane(request):
    return make(request.param)


@pytest.fixture(scope="module")
def volume():
    return make("volume")


@pytest.fixture(scope="module", params=["ragged", "touching", "discs", "volume"])
def field(request):
    """Planes and a volume."""
    return make(request.param)


def table_of(labels, image, *families, **options):
    from teasel.images import Image

    axes = "c" + "zyx"[3 - labels.ndim :]
    return measure(labels, Image(image, axes, channel_names=CHANNELS), families=families, **options)


def same(found, expected, **tolerance):
    np.testing.assert_allclose(found, expected, **{"rtol": 1e-6, "atol": 1e-9, **tolerance})


def ids_of(labels):
    return np.unique(labels[labels > 0])


def single(labels, label):
    """Cut one object out, with a margin of one pixel."""
    box = ndi.find_objects((labels == label).astype(int))[0]
    return np.pad(labels[box] == label, 1), box


def test_size_and_shape_in_planes(plane):
    labels, image = plane
    table = table_of(labels, image, "shape")
    names = {
        "Area": "area",
        "BoundingBoxArea": "area_bbox",
        "Extent": "extent",
        "EulerNumber": "euler_number",
        "EquivalentDiameter": "equivalent_diameter_area",
        "MajorAxisLength": "axis_major_length",
        "MinorAxisLength": "axis_minor_length",
        "Eccentricity": "eccentricity",
        "Perimeter": "perimeter",
        "ConvexArea": "area_convex",
        "Solidity": "solidity",
        "Center_Y": "centroid-0",
        "Center_X": "centroid-1",
        "BoundingBoxMinimum_Y": "bbox-0",
        "BoundingBoxMinimum_X": "bbox-1",
        "BoundingBoxMaximum_Y": "bbox-2",
        "BoundingBoxMaximum_X": "bbox-3",
    }
    properties = sorted({name.split("-")[0] for name in names.values()} | {"orientation"})
    expected = regionprops_table(labels, properties=properties)
    for ours, theirs in names.items():
        same(table.column(f"AreaShape_{ours}"), expected[theirs])
    same(np.sin(2 * np.radians(table.column("AreaShape_Orientation"))), np.sin(2 * expected["orientation"]), atol=1e-6)
    perimeter, area = expected["perimeter"], expected["area"]
    same(table.column("AreaShape_FormFactor")[perimeter > 0], (4 * np.pi * area / perimeter**2)[perimeter > 0])
    same(table.column("AreaShape_Compactness"), perimeter**2 / (4 * np.pi * area))


def test_radii_and_feret_diameters(plane):
    labels, image = plane
    table = table_of(labels, image, "shape")
    ids = ids_of(labels).astype(np.int32)
    depths = [ndi.distance_transform_edt(single(labels, label)[0]) for label in ids]
    inside = [depth[depth > 0] for depth in depths]
    same(table.column("AreaShape_MaximumRadius"), [d.max() for d in inside])
    same(table.column("AreaShape_MeanRadius"), [d.mean() for d in inside])
    same(table.column("AreaShape_MedianRadius"), [np.median(d) for d in inside])
    hulls, counts = centrosome.convex_hull(labels, ids)
    least, greatest = centrosome.feret_diameter(hulls, counts, ids)
    same(table.column("AreaShape_MinFeretDiameter"), least)
    same(table.column("AreaShape_MaxFeretDiameter"), greatest)


def test_euler_number_is_centrosomes(plane):
    labels, image = plane
    expected = centrosome.euler_number(labels, ids_of(labels))
    same(table_of(labels, image, "shape").column("AreaShape_EulerNumber"), expected)


def test_zernike(plane):
    from centrosome.zernike import construct_zernike_polynomials, get_zernike_indexes, score_zernike

    labels, image = plane
    ids, indexes = ids_of(labels).astype(np.int32), get_zernike_indexes(10)
    centres, radii = centrosome.minimum_enclosing_circle(labels, ids)
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(float)
    row = np.searchsorted(ids, labels).clip(max=len(ids) - 1)
    # rounding puts a pixel on the circle in or out at random, and centrosome drops what is out: leave a hair of room
    scale = np.maximum(radii, 1e-9)[row] * (1 + 1e-9)
    mask = labels > 0
    y, x = np.where(mask, (y - centres[row, 0]) / scale, 0), np.where(mask, (x - centres[row, 1]) / scale, 0)
    expected = score_zernike(construct_zernike_polynomials(x, y, indexes, mask), radii, labels, ids)
    table = table_of(labels, image, "zernike")
    large = radii > 0
    for i, (n, m) in enumerate(indexes):
        same(table.column(f"AreaShape_Zernike_{n}_{m}")[large], expected[large, i], atol=1e-7)
    assert np.isnan(table.values[~large]).all()


def quantile(values, fraction):
    values = np.sort(values)
    at = len(values) * fraction
    low = min(int(at), len(values) - 1)
    part = at - low if low < len(values) - 1 else 0
    return values[low] * (1 - part) + values[min(low + 1, len(values) - 1)] * part


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide:RuntimeWarning")  # scipy, on gaps in the ids
def test_intensity(field):
    from skimage.segmentation import find_boundaries

    labels, image = field
    table = table_of(labels, image, "intensity")
    ids = ids_of(labels)
    edges = np.where(find_boundaries(labels, mode="inner"), labels, 0)
    for channel, pixels in zip(CHANNELS, image, strict=True):
        inside = [pixels[labels == label] for label in ids]
        expected = {
            "IntegratedIntensity": ndi.sum(pixels, labels, ids),
            "MeanIntensity": ndi.mean(pixels, labels, ids),
            "StdIntensity": ndi.standard_deviation(pixels, labels, ids),
            "MinIntensity": ndi.minimum(pixels, labels, ids),
            "MaxIntensity": ndi.maximum(pixels, labels, ids),
            "LowerQuartileIntensity": [quantile(v, 0.25) for v in inside],
            "MedianIntensity": [quantile(v, 0.5) for v in inside],
            "MADIntensity": [quantile(np.abs(v - quantile(v, 0.5)), 0.5) for v in inside],
            "UpperQuartileIntensity": [quantile(v, 0.75) for v in inside],
            "IntegratedIntensityEdge": ndi.sum(pixels, edges, ids),
            "MeanIntensityEdge": ndi.mean(pixels, edges, ids),
            "StdIntensityEdge": ndi.standard_deviation(pixels, edges, ids),
            "MinIntensityEdge": ndi.minimum(pixels, edges, ids),
            "MaxIntensityEdge": ndi.maximum(pixels, edges, ids),
        }
        for name, values in expected.items():
            same(table.column(f"Intensity_{name}_{channel}"), values)
        mass = np.array(ndi.center_of_mass(pixels, labels, ids))
        middle = np.array(ndi.center_of_mass(np.ones_like(pixels), labels, ids))
        same(table.column(f"Intensity_MassDisplacement_{channel}"), np.sqrt(((mass - middle) ** 2).sum(1)))
        brightest = np.array(ndi.maximum_position(pixels, labels, ids))
        for i, axis in enumerate("ZYX"[3 - labels.ndim :]):
            same(table.column(f"Location_CenterMassIntensity_{axis}_{channel}"), mass[:, i])
            same(table.column(f"Location_MaxIntensity_{axis}_{channel}"), brightest[:, i])


def test_radial_distribution(plane):
    from centrosome.propagate import propagate

    labels, image = plane
    labels = np.where(np.isin(labels, at_border(labels)), 0, labels)
    ids = ids_of(labels).astype(np.int32)
    deep = centrosome.distance_to_edge(labels)
    # of several deepest pixels CellProfiler takes an arbitrary one (an unstable sort decides); Teasel takes the last
    at = np.array([np.argwhere((labels == i) & (deep == deep[labels == i].max()))[-1] for i in ids]).T
    seeds = np.zeros_like(labels)
    seeds[tuple(at)] = ids
    way, reached = np.zeros(labels.shape), np.zeros(labels.shape, bool)
    colours = centrosome.color_labels(labels)
    for colour in range(1, colours.max() + 1):
        mask = colours == colour
        found, distance = propagate(np.zeros(labels.shape), np.where(mask, seeds, 0), mask, 1)
        way[mask], reached[mask] = distance[mask], found[mask] > 0
    bins = (way / (way + deep + 0.001) * 4).astype(int)
    table = table_of(labels, image, "radial_distribution")
    for row, label in enumerate(ids):
        mask = labels == label
        if not reached[mask].all():
            continue  # an object in pieces: CellProfiler leaves out what it cannot reach
        dy, dx = (c - a[row] for c, a in zip(np.nonzero(mask), at, strict=True))
        wedge = (dy > 0) + 2 * (dx > 0) + 4 * (np.abs(dy) > np.abs(dx))
        for channel, pixels in zip(CHANNELS, image, strict=True):
            light, ring = pixels[mask], bins[mask]
            for i in range(4):
                here = ring == i
                share = light[here].sum() / light.sum()
                mean = share / (here.mean() + np.finfo(float).eps)
                means = [light[here & (wedge == w)].mean() for w in range(8) if np.any(here & (wedge == w))]
                cv = np.std(means) / np.mean(means) if means else 0
                for name, value in (("FracAtD", share), ("MeanFrac", mean), ("RadialCV", cv)):
                    same(table.column(f"RadialDistribution_{name}_{channel}_{i + 1}of4")[row], value)


def at_border(labels):
    from teasel.labels import touches_border

    return touches_border(labels)


@pytest.mark.parametrize(("kind", "levels"), [("discs", 256), ("ragged", 32), ("touching", 17), ("volume", 16)])
def test_texture(kind, levels):
    import mahotas.features

    labels, image = make(kind)
    if levels == 256:  # mahotas lays out a matrix of 256 x 256 for each object and direction
        labels = np.where(labels <= 4, labels, 0)
    texture = find("texture")(scales_px=(1, 3), grey_levels=levels)
    table = table_of(labels, image, texture)
    names = [feature.name for feature in table.features]
    for channel, pixels in zip(CHANNELS, image, strict=True):
        grey = np.rint(pixels * 255)
        grey = (grey * ((levels - 1) / 255)).astype(np.uint8)
        for row, region in enumerate(regionprops(labels, grey)):
            for scale in (1, 3):
                try:
                    expected = mahotas.features.haralick(region.image_intensity, ignore_zeros=True, distance=scale)
                except ValueError:
                    continue  # without a pair in some direction mahotas gives up on all of them
                for direction, values in enumerate(expected):
                    ending = f"_{channel}_{scale}_{direction:02d}_{levels}"
                    ours = [n for n in names if n.endswith(ending)]
                    assert len(ours) == 13
                    same(table.values[row, [names.index(n) for n in ours]], values, atol=1e-7)


def test_granularity(field):
    labels, image = field
    table = table_of(labels, image, find("granularity")(length=6))
    cross = ndi.generate_binary_structure(labels.ndim, 1)
    for row, label in enumerate(ids_of(labels)):
        mask, box = single(labels, label)
        for channel, pixels in zip(CHANNELS, image, strict=True):
            cut = np.where(mask, np.pad(pixels[box], 1), 0)
            eroded, mean = cut, cut[mask].mean()
            first = mean
            for i in range(1, 7):
                eroded = ndi.grey_erosion(np.where(mask, eroded, np.inf), footprint=cross)
                eroded = np.where(mask, eroded, 0)
                if labels.ndim == 2:
                    grown = centrosome.grey_reconstruction(eroded, cut, footprint=cross)
                else:
                    from skimage.morphology import reconstruction

                    grown = reconstruction(eroded, cut, footprint=cross)
                expected = (mean - grown[mask].mean()) * 100 / first
                same(table.column(f"Granularity_{i}_{channel}")[row], expected, atol=1e-7)
                mean = grown[mask].mean()


def ranks(values):
    return np.unique(values, return_inverse=True)[1]


def costes(a, b, steps=255):
    """CellProfiler's "accurate" search for the thresholds, over all pixels of two images with values from 0 to 1."""
    lit = (a > 0) | (b > 0)
    xvar, yvar = np.var(a[lit], ddof=1), np.var(b[lit], ddof=1)
    covar = 0.5 * (np.var(a[lit] + b[lit], ddof=1) - (xvar + yvar))
    slope = ((yvar - xvar) + np.sqrt((yvar - xvar) ** 2 + 4 * covar**2)) / (2 * covar)
    base = b[lit].mean() - slope * a[lit].mean()
    step = 1 / steps
    at = max(a.max(), b.max()) // step + 1
    while at * step > a.max() and slope * at * step + base > b.max():
        at -= 1
    while at > 1:
        low = at * step, slope * at * step + base
        below = (a < low[0]) | (b < low[1])
        if np.corrcoef(a[below], b[below])[0, 1] <= 0:
            break
        at -= 1
    return low


def test_colocalisation(field):
    labels, image = field
    table = table_of(labels, image, "colocalisation")
    low = costes(image[0].ravel(), image[1].ravel())
    for row, label in enumerate(ids_of(labels)):
        mask = labels == label
        a, b = image[0][mask], image[1][mask]
        bright_a, bright_b = a >= 0.15 * a.max(), b >= 0.15 * b.max()
        both = bright_a & bright_b
        top = max(ranks(a).max(), ranks(b).max()) + 1
        weight = (top - np.abs(ranks(a) - ranks(b))) / top
        above_a, above_b = a >= low[0], b >= low[1]
        expected = {
            "Overlap_A_B": (a * b)[both].sum() / np.sqrt((a[both] ** 2).sum() * (b[both] ** 2).sum()),
            "K_A_B": (a * b)[both].sum() / (a[both] ** 2).sum(),
            "K_B_A": (a * b)[both].sum() / (b[both] ** 2).sum(),
            "Manders_A_B": a[both].sum() / a[bright_a].sum(),
            "Manders_B_A": b[both].sum() / b[bright_b].sum(),
            "RWC_A_B": (a * weight)[both].sum() / a[bright_a].sum(),
            "RWC_B_A": (b * weight)[both].sum() / b[bright_b].sum(),
            "Costes_A_B": a[above_a & above_b].sum() / a[above_a].sum() if above_a.any() else np.nan,
            "Costes_B_A": b[above_a & above_b].sum() / b[above_b].sum() if above_b.any() else np.nan,
        }
        if len(a) > 1:
            expected["Correlation_A_B"] = np.corrcoef(a, b)[0, 1]
        for name, value in expected.items():
            same(table.column(f"Correlation_{name}")[row], value)


def test_neighbours(plane):
    from centrosome.outline import outline

    labels, image = plane
    table = table_of(labels, image, "neighbours")
    ids = ids_of(labels).astype(np.int32)
    edges = outline(labels)
    for distance, name in ((1, "Adjacent"), (5, "5")):
        disc, larger = centrosome.strel_disk(distance) > 0, centrosome.strel_disk(distance + 0.5) > 0
        for row, label in enumerate(ids):
            near = np.unique(labels[ndi.binary_dilation(labels == label, disc)])
            others = ndi.binary_dilation((labels > 0) & (labels != label), larger)
            edge = edges == label
            same(table.column(f"Neighbors_NumberOfNeighbors_{name}")[row], len(near[(near > 0) & (near != label)]))
            same(table.column(f"Neighbors_PercentTouching_{name}")[row], 100 * (edge & others).sum() / edge.sum())
    centres = np.array(ndi.center_of_mass(labels > 0, labels, ids))
    for row, centre in enumerate(centres):
        away = np.sqrt(((centres - centre) ** 2).sum(1))
        first, second = np.argsort(away)[1:3]
        one, two = centres[first] - centre, centres[second] - centre
        angle = np.degrees(np.arccos(one @ two / np.sqrt((one @ one) * (two @ two))))
        same(table.column("Neighbors_FirstClosestDistance_Adjacent")[row], away[first])
        same(table.column("Neighbors_FirstClosestObjectNumber_Adjacent")[row], ids[first])
        same(table.column("Neighbors_SecondClosestDistance_Adjacent")[row], away[second])
        same(table.column("Neighbors_AngleBetweenNeighbors_Adjacent")[row], angle, atol=1e-5)


def test_skeleton(plane):
    from skimage.morphology import skeletonize

    labels, image = plane
    table = table_of(labels, image, "skeleton")
    eight = np.ones((3, 3))
    for row, label in enumerate(ids_of(labels)):
        thin = skeletonize(single(labels, label)[0])
        near = ndi.convolve(thin.astype(int), eight, mode="constant") - thin
        same(table.column("ObjectSkeleton_NumberBranchEnds")[row], (near[thin] == 1).sum())
        same(table.column("ObjectSkeleton_NumberNonTrunkBranches")[row], (near[thin] > 2).sum())
        steps = [thin[1:] & thin[:-1], thin[:, 1:] & thin[:, :-1]]
        slanted = [thin[1:, 1:] & thin[:-1, :-1], thin[1:, :-1] & thin[:-1, 1:]]
        length = sum(s.sum() for s in steps) + np.sqrt(2) * sum(s.sum() for s in slanted)
        same(table.column("ObjectSkeleton_TotalObjectSkeletonLength")[row], length)


@pytest.mark.parametrize("edges", [(1.0, 1.0, 1.0), (2.5, 0.4, 0.5)])
def test_size_and_shape_in_volumes(volume, edges):
    from skimage.measure import marching_cubes, mesh_surface_area

    labels, image = volume
    table = table_of(labels, image, "shape", voxel_size_um=VoxelSize(*edges))
    names = {
        "Volume": "area",
        "BoundingBoxVolume": "area_bbox",
        "Extent": "extent",
        "EquivalentDiameter": "equivalent_diameter_area",
        "MajorAxisLength": "axis_major_length",
        "MinorAxisLength": "axis_minor_length",
    }
    expected = regionprops_table(labels, spacing=edges, properties=list(names.values()))
    for ours, theirs in names.items():
        same(table.column(f"AreaShape_{ours}"), expected[theirs])
    plain = regionprops_table(labels, properties=["euler_number", "solidity"])
    same(table.column("AreaShape_EulerNumber"), plain["euler_number"])
    same(table.column("AreaShape_Solidity"), plain["solidity"])
    for row, label in enumerate(ids_of(labels)):
        mask = single(labels, label)[0]
        corners, faces, _, _ = marching_cubes(mask.astype(np.float32), 0.5, spacing=edges)
        same(table.column("AreaShape_SurfaceArea")[row], mesh_surface_area(corners, faces), rtol=1e-5)
        depth = ndi.distance_transform_edt(mask, sampling=edges)[mask]
        same(table.column("AreaShape_MaximumRadius")[row], depth.max())
        same(table.column("AreaShape_MeanRadius")[row], depth.mean())
        same(table.column("AreaShape_MedianRadius")[row], np.median(depth))
