"""Ways in for people: the command line, and whatever window or web page comes beside it.

An app turns what somebody typed or clicked into calls of the library, and the library's answers and errors
into words. Apps may use everything below them; they do not know each other, and nothing imports them.
"""

__all__: list[str] = []
