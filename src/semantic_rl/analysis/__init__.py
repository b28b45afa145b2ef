"""Numbers from recordings. Computes, never draws; needs neither PyTorch nor the games."""
