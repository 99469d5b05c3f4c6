# What the scripts share. Source it: `. "$(dirname "$0")/lib.sh"`. It defines functions only.

# Says what is being done.
say() {
    printf '%s\n' "$*"
}

# Ends the script with one line that says what is wrong and how to put it right.
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Whether a command is there.
have() {
    command -v "$1" >/dev/null 2>&1
}

# Finds cargo where rustup puts it, in a shell that was started before.
use_cargo() {
    [ ! -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
}

# Whether `as_root` would work without asking for a password.
can_be_root() {
    [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; } || { have sudo && [ -t 0 ]; }
}

# Runs a command as root, through sudo where needed.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Whether all of these Debian packages are installed.
apt_has() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || return 1
    done
}

# Installs the Debian packages that are missing among these; the package lists are fetched when that is not enough.
apt_install() {
    apt_has "$@" && return
    have apt-get || fail "these are needed: $*. There is no apt-get here: install them by this system's own means"
    can_be_root || fail "these Debian packages are needed: $*. As root: apt-get install $*"
    say "installing $*"
    local install=(as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@")
    "${install[@]}" >/dev/null 2>&1 && return
    as_root apt-get update -qq || fail "apt-get update failed: see its lines above"
    "${install[@]}" >/dev/null || fail "apt-get could not install $*: see its lines above"
}

# Makes sure that bindgen finds a libclang with its headers; the version is this distribution's default.
need_libclang() {
    compgen -G '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' >/dev/null &&
        compgen -G '/usr/lib/llvm-*/lib/libclang.so*' >/dev/null && return
    [ -n "${LIBCLANG_PATH:-}" ] && return
    have apt-cache || fail "libclang is needed: install clang, or set LIBCLANG_PATH"
    local version
    version=$(apt-cache depends libclang-dev 2>/dev/null | sed -n 's/.*Depends: libclang-\([0-9]*\)-dev$/\1/p' | head -n 1)
    if [ -z "$version" ]; then
        as_root apt-get update -qq || fail "apt-get update failed: see its lines above"
        version=$(apt-cache depends libclang-dev | sed -n 's/.*Depends: libclang-\([0-9]*\)-dev$/\1/p' | head -n 1)
    fi
    [ -n "$version" ] || fail "libclang is needed, and apt knows no libclang-dev: install clang, or set LIBCLANG_PATH"
    apt_install "libclang1-$version" "libclang-common-$version-dev"
}
