"""Foreign text in a message: one line, short, and nothing that a terminal would obey."""

VALUE = 80  # characters of a value of the user's, or of a file's, that a message shows
PLACE = 200  # of the path of keys that leads to it
MESSAGE = 2000  # of it all: a list of all known sections fits


def one_line(text: str, most: int = MESSAGE) -> str:
    """Return a text as one line, cut in its middle, what cannot be printed as an escape."""
    cut = shortened(" ".join(text.splitlines()), most)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def shortened(text: str, most: int = PLACE) -> str:
    """Return a text, or its beginning and its end if it is longer than ``most``."""
    if len(text) <= most:
        return text
    end = most // 4
    return f"{text[: most - end - 3]}...{text[-end:]}"


def shown(value: object, most: int = VALUE) -> str:
    """Return how a value is written, shortened."""
    try:
        return shortened(repr(value), most)
    except ValueError:  # of an integer of thousands of digits, which Python writes for nobody
        return f"a {type(value).__name__}"
