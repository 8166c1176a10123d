"""``python -m teasel.apps.cli`` is the command ``teasel``."""

from teasel.apps.cli import main

if __name__ == "__main__":
    main()
