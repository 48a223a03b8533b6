# Sourced by the scripts beside it: where the repository is, how to speak and how to fail. Runs in bash 3.2 too.
set -euo pipefail

script=$(basename -- "$0")
script_path=$(cd -- "$(dirname -- "$0")" && pwd -P)/$script
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
cd -- "$root"

bold='' red='' yellow='' plain=''
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\e[1m' red=$'\e[31m' yellow=$'\e[33m' plain=$'\e[0m'
fi

# What a script has to say goes to standard error: standard output belongs to the program that it runs.
say() { printf '%s\n' "$bold==> $*$plain" >&2; }
warn() { printf '%s\n' "$yellow$script: $*$plain" >&2; }
fail() {
    printf '%s\n' "$red$script: $*$plain" >&2
    exit 1
}

# The comment at the head of the script is its help.
help() { awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "$script_path"; }

wrong_usage() {
    printf '%s\n' "$script: $*; see $script --help" >&2
    exit 64
}

have() { command -v "$1" >/dev/null 2>&1; }

# Every build of tests has the same flags, so that none of the scripts makes another compile everything again.
# shellcheck disable=SC2034
strict_flags=(-Xswiftc -warnings-as-errors)
