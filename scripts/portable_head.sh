#!/bin/sh
# socktool @VERSION@ for @TRIPLE@, in one file: this script, and behind it a compressed archive of
# the program and of the runtime that runs it. The first start unpacks it into a folder of the
# user's cache; every start then replaces this shell by the program itself.
#
# SOCKTOOL_CACHE names the folder to unpack into, if the usual ones are not to be used.

# In braces, so that a shell that gets less than all of this script does none of it.
{
set -u
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}
export PATH

key=@KEY@
head_bytes=@HEAD_BYTES@
file_bytes=@FILE_BYTES@
problems=

fail() {
    printf 'socktool: %s\n' "$*" >&2
    exit 1
}

# Whether a folder holds the whole program. Programs that tidy caches remove old files.
is_whole() {
    [ -x "$1/deno" ] || return 1
    for file in @FILES@; do
        [ -f "$1/$file" ] || return 1
    done
}

# Whether nobody else can have put something into a folder: it is the user's own, or root's.
is_trusted() {
    [ -O "$1" ] || [ -n "$(find "$1" -prune -user 0 2>/dev/null)" ]
}

# Becomes the program. The variables are for the runtime alone; the program takes back what was set.
run() {
    folder=$1
    shift
    SOCKTOOL_PORTABLE=
    [ -n "${DENO_DIR:-}" ] || set_for_runtime DENO_DIR "$folder/cache"
    [ -n "${DENO_NO_UPDATE_CHECK:-}" ] || set_for_runtime DENO_NO_UPDATE_CHECK 1
    [ -n "${DENO_NO_PACKAGE_JSON:-}" ] || set_for_runtime DENO_NO_PACKAGE_JSON 1
    export SOCKTOOL_PORTABLE
    exec "$folder/deno" run --quiet --no-config --no-lock --no-remote --no-npm \
        --unstable-net @PERMISSIONS@ \
        --preload "$folder/@PRELOAD@" "$folder/@MAIN@" "$@"
    fail "cannot run $folder/deno"
}

set_for_runtime() {
    export "$1=$2"
    SOCKTOOL_PORTABLE="$SOCKTOOL_PORTABLE $1"
}

# What keeps this file from being unpacked anywhere, if something does.
check_file() {
    [ -r "$0" ] || fail "cannot read $0"
    bytes=$(($(wc -c <"$0")))
    [ "$bytes" -ge "$file_bytes" ] ||
        fail "$0 is incomplete: it has $bytes of $file_bytes bytes; copy or download it again"
    case $(uname -s)/$(uname -m) in
    @SYSTEMS@) ;;
    *) fail "this file is for @TRIPLE@, but this system is $(uname -s) on $(uname -m)" ;;
    esac
}

archive() {
    tail -c "+$((head_bytes + 1))" "$0"
}

# Unpacks into a folder, under a name of its own, and gives it its name when it is whole.
# Prints what went wrong. Runs in a subshell: what is set here stays here.
unpack() {
    parent=$1
    umask 077
    mkdir -p "$parent" 2>&1 || return 1
    is_trusted "$parent" || [ -k "$parent" ] || {
        echo 'the folder belongs to somebody else'
        return 1
    }
    # What a start that was killed left behind.
    for stale in "$parent"/.unpacking-*; do
        [ -d "$stale" ] && find "$stale" -prune -mtime +1 -exec rm -rf {} + 2>/dev/null
    done
    new=$(mktemp -d "$parent/.unpacking-XXXXXX" 2>&1) || {
        echo "$new"
        return 1
    }
    trap 'rm -rf "$new"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    reason=$(
        {
            archive |
                { gzip -dc || : >"$new/.damaged"; } |
                tar -xf - -C "$new"
        } 2>&1
    )
    unpacked=$?
    if [ "$unpacked" -ne 0 ] || [ -e "$new/.damaged" ]; then
        if archive | gzip -t 2>/dev/null; then
            reason=$(echo "$reason" | head -n 1)
            echo "unpacking failed; it takes @NEEDED@ of space ($reason)"
        else
            echo 'this file is damaged; copy or download it again'
        fi
        return 1
    fi
    # A folder may forbid to run programs, and a system may lack what the runtime needs.
    works=$("$new/deno" --version 2>&1) || {
        echo "what is unpacked there cannot be run: $works"
        return 1
    }
    if [ -e "$parent/$key" ] && ! is_whole "$parent/$key"; then
        mv "$parent/$key" "$new/.broken" 2>/dev/null
    fi
    # Another start may have been faster. mv then moves into its folder, where nothing looks at it.
    mv "$new" "$parent/$key" 2>/dev/null
    rm -rf "$parent/$key/.broken" "$parent/$key/${new##*/}"
    is_whole "$parent/$key" || {
        echo 'it was changed while it was unpacked'
        return 1
    }
}

# Becomes the program that a folder holds, after unpacking it there if need be. Comes back only if
# that cannot be.
try() {
    parent=$1
    shift
    if is_whole "$parent/$key" && is_trusted "$parent/$key"; then run "$parent/$key" "$@"; fi
    check_file
    if problem=$(unpack "$parent"); then run "$parent/$key" "$@"; fi
    problems="$problems
  $parent: ${problem:-it cannot be written}"
}

case ${SOCKTOOL_CACHE:-} in
'')
    # By the XDG specification a relative path counts for nothing.
    case ${XDG_CACHE_HOME:-} in
    /*) try "$XDG_CACHE_HOME/socktool" "$@" ;;
    *) [ -z "${HOME:-}" ] || try "$HOME/.cache/socktool" "$@" ;;
    esac
    # Others can write here as well, so the folder in it is the user's by its name and its owner.
    try "${TMPDIR:-/tmp}/socktool-$(id -u)" "$@"
    ;;
/*) try "$SOCKTOOL_CACHE" "$@" ;;
*) try "$PWD/$SOCKTOOL_CACHE" "$@" ;;
esac
fail "cannot unpack the program (SOCKTOOL_CACHE=FOLDER names another place for it):$problems"
exit 1
}
