"""Lesson 04: target loss."""
