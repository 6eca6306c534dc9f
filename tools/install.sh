#!/bin/sh
# install.sh BINARY PREFIX: the binary with the names that it goes by, its manual, and completions for the usual shells.
set -eu
binary=$1 prefix=$2
install -d "$prefix/bin" "$prefix/share/man/man1" "$prefix/share/bash-completion/completions" \
    "$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d"
install -m 755 "$binary" "$prefix/bin/peerkeeper"
for name in kubectl-peerkeeper kubectl_complete-peerkeeper; do
    ln -sf peerkeeper "$prefix/bin/$name"
done
"$binary" man --output-dir "$prefix/share/man/man1" >/dev/null
"$binary" completions bash >"$prefix/share/bash-completion/completions/peerkeeper"
"$binary" completions zsh >"$prefix/share/zsh/site-functions/_peerkeeper"
"$binary" completions fish >"$prefix/share/fish/vendor_completions.d/peerkeeper.fish"
