"""Error for mistakes of a user, printed without a traceback."""


class UserError(Exception):
    """A mistake of the user, who can correct it.

    The message says what was expected, what was found, what follows, and the likely remedy.
    The command line prints it and exits with code 2.
    """
