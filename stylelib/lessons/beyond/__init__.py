"""Lesson 06: beyond."""
