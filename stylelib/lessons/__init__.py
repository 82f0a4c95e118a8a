"""What the notebooks import: a folder for each lesson, and the modules that all lessons share."""
