#!/bin/sh
# Installs socktool for Linux or macOS: downloads the archive for this system, compares its SHA-256
# with the release's list, and puts the program into a folder.
#
#   sh install.sh             the latest release
#   sh install.sh 0.2.0       this one
#
# SOCKTOOL_INSTALL_DIR  where the program goes; $HOME/.local/bin otherwise
# SOCKTOOL_BASE_URL     a mirror of the releases, laid out as they are:
#                       BASE/download/vVERSION/FILE and BASE/latest/download/FILE

set -eu

# In a function, so that a script that was downloaded only in part does nothing.
main() {
    base=${SOCKTOOL_BASE_URL:-https://github.com/socktool/socktool/releases}
    base=${base%/}
    case ${1:-latest} in
    latest) from=$base/latest/download ;;
    -h | --help)
        sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    [0-9]* | v[0-9]*) from=$base/download/v${1#v} ;;
    *) fail "$1 is no version (write 0.2.0, or nothing for the latest)" ;;
    esac
    folder=${SOCKTOOL_INSTALL_DIR:-${HOME:?is not set, so SOCKTOOL_INSTALL_DIR must be}/.local/bin}
    target=$(target_of_this_system)
    archive=socktool-$target.tar.gz

    temporary=$(mktemp -d) || fail "cannot make a temporary folder"
    new=
    trap 'rm -rf "$temporary" ${new:+"$new"}' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    # Nobody may replace a file between its check and its installation.
    check_reach "${temporary%/*}" TMPDIR
    say "downloading $from/$archive"
    download "$from/SHA256SUMS" "$temporary/SHA256SUMS"
    download "$from/$archive" "$temporary/$archive"
    verify "$temporary" "$archive"

    gzip -dc "$temporary/$archive" | tar -xf - -C "$temporary" ||
        fail "cannot unpack $archive in $temporary (is there space?)"
    unpacked=$temporary/socktool-$target
    [ -f "$unpacked/socktool" ] || fail "$archive has no program in it"
    mkdir -p "$folder" || fail "cannot make $folder (SOCKTOOL_INSTALL_DIR names another place)"
    check_reach "$folder" SOCKTOOL_INSTALL_DIR
    put "$unpacked/socktool" "$folder" 755
    say "installed $version as $folder/socktool"

    # For programs in .local/bin, man looks for pages in .local/share/man.
    pages=${folder%/*}/share/man/man1
    if [ "${folder##*/}" = bin ] && mkdir -p "$pages" 2>/dev/null; then
        put "$unpacked/socktool.1" "$pages" 644
    fi
    case :$PATH: in
    *":$folder:"*) ;;
    *) say "$folder is not in PATH; add it: export PATH=\"$folder:\$PATH\"" ;;
    esac
}

say() {
    printf 'socktool: %s\n' "$*" >&2
}

fail() {
    say "$*"
    exit 1
}

# Refuses a folder in which every user can replace files.
check_reach() {
    [ -z "$(find "$1/." -prune -perm -002 ! -perm -1000)" ] ||
        fail "everybody can replace what is in $1 ($2 names another place)"
}

target_of_this_system() {
    kernel=$(uname -s)
    machine=$(uname -m)
    case $kernel/$machine in
    Linux/x86_64 | Linux/amd64) target=x86_64-unknown-linux-gnu ;;
    Linux/aarch64 | Linux/arm64) target=aarch64-unknown-linux-gnu ;;
    Darwin/x86_64) target=x86_64-apple-darwin ;;
    Darwin/arm64) target=aarch64-apple-darwin ;;
    *) fail "there is no release for $kernel on $machine (it can be run from source with Deno)" ;;
    esac
    if [ "$kernel" = Linux ] && ldd /bin/ls 2>/dev/null | grep -q musl; then
        fail "the releases for Linux need glibc, but this system has musl"
    fi
    echo "$target"
}

download() {
    if command -v curl >/dev/null 2>&1; then
        curl --fail --silent --show-error --location --retry 2 --output "$2" "$1" ||
            fail "cannot download $1"
    elif command -v wget >/dev/null 2>&1; then
        wget --quiet --output-document="$2" "$1" || fail "cannot download $1"
    else
        fail "curl or wget is needed to download"
    fi
}

verify() {
    expected=$(awk -v file="$2" '$2 == file || $2 == "*" file { print $1 }' "$1/SHA256SUMS")
    [ -n "$expected" ] || fail "SHA256SUMS of this release does not list $2"
    if command -v sha256sum >/dev/null 2>&1; then
        actual=$(sha256sum "$1/$2")
    elif command -v shasum >/dev/null 2>&1; then
        actual=$(shasum -a 256 "$1/$2")
    elif command -v openssl >/dev/null 2>&1; then
        actual=$(openssl dgst -sha256 -r "$1/$2")
    else
        fail "sha256sum, shasum or openssl is needed to verify the download"
    fi
    actual=${actual%% *}
    [ "$actual" = "$expected" ] || fail "$2 is not what the release lists, nothing was installed
  expected SHA-256 $expected
  downloaded       $actual"
}

# Puts a file into a folder in one step, so that a running socktool keeps its old file. A program is
# run first: one that does not work here must not replace one that does. Sets version to what it says.
put() {
    name=${1##*/}
    [ ! -d "$2/$name" ] || fail "$2/$name is a folder"
    # Under a random name: where others can write, they could put a link under a name they know.
    if ! new=$(mktemp "$2/.$name.XXXXXX") || ! cp "$1" "$new" || ! chmod "$3" "$new"; then
        fail "cannot write to $2 (SOCKTOOL_INSTALL_DIR names another place)"
    fi
    if [ "$3" = 755 ] && ! version=$("$new" --version); then
        fail "the program does not run in $2, nothing was installed"
    fi
    mv -f "$new" "$2/$name" || fail "cannot replace $2/$name"
}

main "$@"
