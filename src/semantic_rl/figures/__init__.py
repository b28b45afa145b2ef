"""Pictures of recordings. Each is a function that draws on given axes; what it draws was computed in `analysis`."""
