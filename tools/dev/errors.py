"""What `./dev` says when it cannot go on.

Trouble
"""


class Trouble(Exception):  # noqa: N818 - it is shown to a person, who has a trouble and not an error
    """One sentence for the person at the keyboard: what is wrong, and the command that helps."""
