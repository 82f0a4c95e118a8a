"""Lesson 02: content."""
