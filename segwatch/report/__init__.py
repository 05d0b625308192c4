"""The report: one HTML file about a capture, to be mailed to a colleague.

``uplot/`` holds uPlot 1.6.32, which draws the plots (https://github.com/leeoniya/uPlot, MIT License).
"""
