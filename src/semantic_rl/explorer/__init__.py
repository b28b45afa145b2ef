"""The explorer: a page in the browser on which one wanders through what an agent has learned, and its server.

data, planes, columns …      a recording as the page needs it; no web
app, security, serve         the same over HTTP, on this machine alone unless told otherwise
export                       the page and its data in one file
static/                      the built page; its sources are in frontend/
"""
