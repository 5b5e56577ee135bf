"""The error of the set-up."""


class SetupError(RuntimeError):
    """The environment cannot be made; the message is one line for the user."""
