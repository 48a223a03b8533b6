"""Changes to the network namespace in which a script was started (`unshare -rnm`)."""

import subprocess
import sys

IMPOSSIBLE = 75


def network_command(*command, text=None):
    """Changes the network; ends the script with `IMPOSSIBLE` if that cannot be done here."""
    try:
        result = subprocess.run(command, input=text, capture_output=True, text=True)
    except FileNotFoundError:
        print(f"{command[0]} is not installed", file=sys.stderr)
        sys.exit(IMPOSSIBLE)
    if result.returncode != 0:
        print(f"{' '.join(command)}: {result.stderr}", file=sys.stderr)
        sys.exit(IMPOSSIBLE)
    return result.stdout


def ip(*arguments):
    network_command("ip", *arguments)


def nft(rules):
    """Runs commands of nftables, one a line."""
    return network_command("nft", "-f", "-", text=rules)
