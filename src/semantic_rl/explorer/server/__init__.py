"""The HTTP server of the page: routes, responses, who may ask, and writing annotations."""
