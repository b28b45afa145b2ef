"""The explorer: an interactive web page that shows what an agent has learned, and the server behind it.

dataset/      a recording in the form that the page needs
queries/      cluster cards, lists of moments, episodes, comparison of two recordings
selection/    statistics and downloads of selected states
export/       the page and its data in one HTML file
server/       the HTTP server, reachable only from this machine unless configured otherwise
static/       the built page; its sources are in frontend/
"""
