"""What a recording holds, read for the page: states as columns, planes, frames."""
