"""The report: one HTML file with everything in it, plots of both runs side by side.

`page` puts it together, `charts` are the plots, `plot` is the field that each is drawn on. It needs
no network and no script, and follows the reader's light or dark.
"""

from seawall.demo.report.page import page

__all__ = ["page"]
