"""Documents of an experiment for a browser: one page of everything, and one of each chart.

They open from disk without a network: styles, scripts, data and Vega are in the file.
"""
