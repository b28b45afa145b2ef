"""Any Gymnasium environment: made from its id or a user's function, wrapped, described and played."""
