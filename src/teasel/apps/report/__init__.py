"""A report on a folder of results: one HTML file that says what was found, how, and what needs a look.

Takes the folder that ``teasel segment`` or ``teasel run`` wrote; gives a page that needs no other file and no network:
counts and distributions, outlines over the images, the least certain objects, flags with reasons, settings, versions,
the model card, a paragraph for the methods section, and citations.
"""

from __future__ import annotations

from teasel.apps.report.options import ReportOptions
from teasel.apps.report.write import write_report

__all__ = ["ReportOptions", "write_report"]
