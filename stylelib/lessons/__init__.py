"""What the notebooks use, a folder for each lesson; beside them what all lessons share."""
