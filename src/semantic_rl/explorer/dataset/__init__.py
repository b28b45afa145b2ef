"""A recording in the form that the page needs: states as columns, 2-D projections, frames."""
