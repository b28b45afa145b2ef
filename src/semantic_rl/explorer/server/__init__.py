"""The HTTP server of the page: routes, responses, access control, and the editing of annotations."""
