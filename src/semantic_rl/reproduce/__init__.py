"""Many runs: which there are, how far each is, and the processes or Ray tasks in which they train."""
