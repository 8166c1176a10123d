"""A paragraph for the methods section of a paper, from what the record says and nothing else."""

from __future__ import annotations

import numpy as np

from teasel.apps.report.model_card import ModelCard
from teasel.apps.report.plots import number
from teasel.apps.report.results import RunResults

__all__ = ["methods_paragraph"]

_NETWORKS = {"unet": "a U-Net (Ronneberger et al., 2015)"}
_FIELDS = {
    "star": "star-convex distances (Schmidt et al., 2018)",
    "flow": "flows towards object centres (Stringer et al., 2021)",
    "hybrid": (
        "flows towards object centres (Stringer et al., 2021), star-convex distances (Schmidt et al., 2018) and "
        "boundaries"
    ),
    "distance": "distances to object boundaries",
    "affinity": "affinities between neighbouring pixels",
}
_BACKENDS = {"onnx": "ONNX Runtime", "openvino": "OpenVINO", "torch": "PyTorch"}


def methods_paragraph(run: RunResults, card: ModelCard) -> str:
    """Write how the objects were found, with the numbers of this run.

    Parameters
    ----------
    run : RunResults
        The run.
    card : ModelCard
        Its model; what is not known of it is left out.

    Returns
    -------
    str
        A paragraph of plain text, in the past tense.
    """
    sentences = [
        _first(run),
        *_prepared(run, card),
        *_network(card),
        _read_back(card),
        *_nuclei(run),
        *_measured(run),
        _counts(run),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _first(run: RunResults) -> str:
    model, versions = run.record["model"], run.record.get("versions", {})
    backend = _BACKENDS.get(str(model.get("backend")), str(model.get("backend")))
    where = (
        f"{backend} {versions['onnxruntime']}"
        if model.get("backend") == "onnx" and "onnxruntime" in versions
        else backend
    )
    return (
        f"Objects were segmented with Teasel {versions.get('teasel', '')} (model {model.get('name')} "
        f"{model.get('version')}, SHA-256 {str(model.get('digest'))[:12]}; {where}, {model.get('precision')}; "
        f"Python {versions.get('python', '')})."
    )


def _prepared(run: RunResults, card: ModelCard) -> list[str]:
    """Say which part of the images was used, and at which scale."""
    asked = run.record["parameters"]
    parts = []
    if asked.get("channel", asked.get("cell")) is not None:
        parts.append(f"channel {asked.get('channel', asked.get('cell'))}")
    if asked.get("nucleus") is not None:
        parts.append(f"channel {asked['nucleus']} (nuclei)")
    if asked.get("z") == "max":
        parts.append("the maximum projection along z")
    elif asked.get("z") is not None:
        parts.append(f"plane {asked['z']} of each stack (counted from 0)")
    sentences = [f"Of each image, {' and '.join(parts)} {'were' if len(parts) > 1 else 'was'} used."] if parts else []
    given = [image.entry["diameter_px"] for image in run.images if image.entry.get("diameter_px")]
    if given and card.spec is not None:
        how = "was set to" if "diameter_px" in asked else "was estimated for each image as"
        sizes = f"{number(float(np.median(given)))} px"
        if min(given) != max(given):
            sizes += f" (median; range {number(min(given))} to {number(max(given))} px)"
        low, high = card.spec.normalisation
        sentences.append(
            f"The typical object diameter {how} {sizes}, and images were resampled so that it matched the "
            f"{card.spec.object_diameter_px:g} px at which the network was trained; intensities were scaled so that "
            f"percentiles {low:g} and {high:g} became 0 and 1."
        )
    return sentences


def _network(card: ModelCard) -> list[str]:
    if card.spec is None:
        return []
    network = _NETWORKS.get(card.spec.network["name"], f"a {card.spec.network['name']} network")
    fields = _FIELDS.get(
        card.spec.representation.name, f"the fields of the representation {card.spec.representation.name}"
    )
    n = sum(int(row.get("training_images", 0)) for row in card.spec.training.get("sets", {}).values())
    trained = f", trained on {n:,} annotated images," if n else ""
    return [f"In overlapping tiles, {network}{trained} predicted {fields}, from which objects were read back."]


def _read_back(card: ModelCard) -> str:
    """Say from which score on objects were kept, where the representation has such a limit."""
    if card.spec is None:
        return ""
    limit = getattr(card.spec.representation, "score_threshold", None)
    scored = "Each object was given a score, the calibrated probability that it overlaps a true object with an "
    scored += "intersection over union of at least 0.5"
    return f"{scored}; objects that scored below {limit:g} were discarded." if limit is not None else f"{scored}."


def _nuclei(run: RunResults) -> list[str]:
    found = run.record["parameters"].get("nuclei")
    if not found:
        return []
    return [
        f"Nuclei were segmented with the model {found['model']} (SHA-256 {found['digest'][:12]}), and each belongs to "
        "the cell it shares most pixels with."
    ]


def _measured(run: RunResults) -> list[str]:
    measured = run.record["parameters"].get("measure")
    if not measured:
        return []
    families = measured.get("families")
    which = f"the feature families {', '.join(families)}" if families else "every family of features"
    return [
        f"Of each object, {which} of Teasel was measured, with names and definitions as in CellProfiler "
        "(Stirling et al., 2021)."
    ]


def _counts(run: RunResults) -> str:
    counts = [image.n_objects for image in run.images]
    if not counts:
        return ""
    images = f"{len(counts):,} image{'s' if len(counts) > 1 else ''}"
    spread = f" (median {number(float(np.median(counts)))} per image)" if len(counts) > 1 else ""
    failed = len(run.record.get("failures", [])) + len(run.unfinished)
    left_out = f"; {failed} further image{'s' if failed > 1 else ''} could not be segmented" if failed else ""
    total = sum(counts)
    return f"In {images}, {total:,} object{'s were' if total != 1 else ' was'} found{spread}{left_out}."
