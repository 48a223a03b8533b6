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

# The path of the toolchain's docc; 1 if it has none.
find_docc() {
    local library
    library=$(swift -print-target-info | sed -n 's/.*"runtimeResourcePath" *: *"\(.*\)".*/\1/p')
    if [ -x "$library/../../bin/docc" ]; then echo "$library/../../bin/docc"; else command -v docc; fi
}

# extract_graphs DIR: the symbol graphs of what is public, from the modules that a debug build made.
extract_graphs() {
    local target module
    target=$(swift -print-target-info | sed -n 's/.*"unversionedTriple" *: *"\(.*\)".*/\1/p' | head -n 1)
    case $target in *apple*) target=$(uname -m)-apple-macosx15.0 ;; esac
    rm -rf "$1"
    for module in GenesysLoop GenesysSimulator GenesysMetrics GenesysPlatform GenesysRelay; do
        mkdir -p "$1/$module"
        swift symbolgraph-extract -module-name "$module" -target "$target" -I .build/debug/Modules -I Sources/CUV \
            -I Sources/COpenSSL -I Sources/CVector -I Sources/CZlib -I Sources/CCurl -I Sources/CHiredis \
            -output-dir "$1/$module" \
            -minimum-access-level public -skip-synthesized-members -emit-extension-block-symbols || return 1
    done
}
