"""Lesson 07: neighbours."""
