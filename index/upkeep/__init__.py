"""Keeping a library sound: checks, repairs, backups, moves to another place."""
