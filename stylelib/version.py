"""The version of stylelib: for the package, its files' metadata and the command line."""

__version__ = "0.2.0"
