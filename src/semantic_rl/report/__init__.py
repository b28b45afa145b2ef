"""The report: one HTML page with everything that a recording shows about its agent, to share or to keep with a paper.

from semantic_rl.report import make_report
make_report(ReportConfig(Path("recordings/coinrun"), out=Path("report.html")))
"""

from semantic_rl.report.build import make_report

__all__ = ["make_report"]
