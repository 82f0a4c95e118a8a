"""Lesson 03: style."""
