"""A site of many days: planned one after the other, and summed by billing month."""
