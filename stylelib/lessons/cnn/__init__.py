"""Lesson 01: what a CNN sees."""
