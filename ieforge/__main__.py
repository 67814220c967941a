"""The start of the program `ieforge`: an interrupt before anything is imported ends it without a traceback."""

import signal
import sys


def main() -> int:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `schemas.command` handles it
    from ieforge import commands

    return commands.main()


if __name__ == "__main__":
    sys.exit(main())
