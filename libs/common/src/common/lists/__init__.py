"""Lists that offices send as files: reading, column mapping, checking, approving, applying, and the verdict beside each row.

The mechanism knows no business word. A service gives its columns, its check of one row and its application of good rows
(:class:`common.lists.profile.ListProfile`); the routes, states, jobs and verdict files are the same everywhere.
"""
