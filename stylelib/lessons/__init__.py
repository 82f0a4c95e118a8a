"""What the lessons compute, so that a cell stays a few lines; painting needs none of it."""
