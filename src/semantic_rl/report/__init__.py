"""The report: one HTML page of all that a recording shows of its agent, to send to a colleague or keep beside a paper.

from semantic_rl.report import make_report
make_report(ReportConfig(Path("recordings/coinrun"), out=Path("report.html")))
"""

from semantic_rl.report.build import make_report

__all__ = ["make_report"]
