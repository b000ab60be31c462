"""Names of cases in a table."""


def brief(case):
    """A case's name that fits on a line, whatever the case is."""
    return repr(case)[:40]
