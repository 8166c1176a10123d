"""What to cite for a run, as BibTeX: the program, the methods the model is built on, the libraries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["bibtex", "keys_for"]

_KNOWN = {
    "10.1007/978-3-319-24574-4_28": (
        "inproceedings", "ronneberger2015unet",
        {"author": "Ronneberger, Olaf and Fischer, Philipp and Brox, Thomas",
         "title": "{U-Net}: Convolutional Networks for Biomedical Image Segmentation",
         "booktitle": "Medical Image Computing and Computer-Assisted Intervention -- MICCAI 2015",
         "year": "2015", "pages": "234--241"},
    ),
    "10.1007/978-3-030-00934-2_30": (
        "inproceedings", "schmidt2018star",
        {"author": "Schmidt, Uwe and Weigert, Martin and Broaddus, Coleman and Myers, Gene",
         "title": "Cell Detection with Star-Convex Polygons",
         "booktitle": "Medical Image Computing and Computer Assisted Intervention -- MICCAI 2018",
         "year": "2018", "pages": "265--273"},
    ),
    "10.1038/s41592-020-01018-x": (
        "article", "stringer2021cellpose",
        {"author": "Stringer, Carsen and Wang, Tim and Michaelos, Michalis and Pachitariu, Marius",
         "title": "{Cellpose}: a generalist algorithm for cellular segmentation",
         "journal": "Nature Methods", "year": "2021", "volume": "18", "pages": "100--106"},
    ),
    "10.1038/s41586-020-2649-2": (
        "article", "harris2020numpy",
        {"author": "Harris, Charles R. and Millman, K. Jarrod and van der Walt, St{\\'e}fan J. and others",
         "title": "Array programming with {NumPy}",
         "journal": "Nature", "year": "2020", "volume": "585", "pages": "357--362"},
    ),
    "10.1038/s41592-019-0686-2": (
        "article", "virtanen2020scipy",
        {"author": "Virtanen, Pauli and Gommers, Ralf and Oliphant, Travis E. and others",
         "title": "{SciPy} 1.0: fundamental algorithms for scientific computing in {Python}",
         "journal": "Nature Methods", "year": "2020", "volume": "17", "pages": "261--272"},
    ),
    "10.7717/peerj.453": (
        "article", "vanderwalt2014skimage",
        {"author": "van der Walt, St{\\'e}fan and Sch{\\\"o}nberger, Johannes L. and Nunez-Iglesias, Juan and others",
         "title": "scikit-image: image processing in {Python}",
         "journal": "PeerJ", "year": "2014", "volume": "2", "pages": "e453"},
    ),
    "10.1186/s12859-021-04344-9": (
        "article", "stirling2021cellprofiler",
        {"author": "Stirling, David R. and Swain-Bowden, Madison J. and Lucas, Alice M. and Carpenter, Anne E. and "
                   "Cimini, Beth A. and Goodman, Allen",
         "title": "{CellProfiler} 4: improvements in speed, utility and usability",
         "journal": "BMC Bioinformatics", "year": "2021", "volume": "22", "pages": "433"},
    ),
}  # fmt: skip
_LIBRARIES = ("10.1038/s41586-020-2649-2", "10.1038/s41592-019-0686-2", "10.7717/peerj.453")
_MEASURES = "10.1186/s12859-021-04344-9"


def keys_for(cited: Sequence[Mapping[str, str]], *, measured: bool) -> dict[str, str]:
    """Return the BibTeX key of each DOI to cite, in order.

    Parameters
    ----------
    cited : sequence of mapping
        What the model cites: ``text`` and ``doi`` of each.
    measured : bool
        Whether features were measured, whose definitions are CellProfiler's.
    """
    dois = [entry["doi"] for entry in cited if entry.get("doi")]
    dois += [*_LIBRARIES, *([_MEASURES] if measured else [])]
    return {doi: _KNOWN[doi][1] if doi in _KNOWN else _key(doi) for doi in dict.fromkeys(dois)}


def bibtex(cited: Sequence[Mapping[str, str]], version: str, model: Mapping[str, Any], *, measured: bool) -> str:
    """Write the entries of everything to cite.

    Parameters
    ----------
    cited : sequence of mapping
        What the model cites.
    version : str
        Version of Teasel that ran.
    model : mapping
        Name, version and digest of the model.
    measured : bool
        Whether features were measured.
    """
    texts = {entry["doi"]: entry.get("text", "") for entry in cited if entry.get("doi")}
    note = f"Model {model.get('name')} {model.get('version')}, SHA-256 {str(model.get('digest'))[:12]}"
    program = {
        "author": "{The Teasel authors}",
        "title": "{Teasel}: teasing microscopy images apart, cell by cell",
        "version": version,
        "note": note,
    }
    entries = [_entry("software", "teasel", program)]
    for doi, key in keys_for(cited, measured=measured).items():
        kind, _, fields = _KNOWN.get(doi, ("misc", key, {"title": f"{{{texts.get(doi, '')}}}"}))
        entries.append(_entry(kind, key, {**fields, "doi": doi}))
    return "\n\n".join(entries) + "\n"


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    return f"@{kind}{{{key},\n" + ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items()) + "\n}"


def _key(doi: str) -> str:
    return "doi" + re.sub(r"[^a-z0-9]+", "", doi.lower())
