"""The entry point of `ieforge`. An interrupt during the first imports ends the process without a traceback."""

import signal
import sys


def main() -> int:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `schemas.command` handles it
    from ieforge import commands

    return commands.main()


if __name__ == "__main__":
    sys.exit(main())
