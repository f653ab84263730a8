#!/bin/sh
# Build FerretDB, the MongoDB-protocol server of the tests, once, where there is Go; else say what is skipped.
set -eu
cd "$(dirname "$0")/.."
version=v1.24.2
module="github.com/FerretDB/FerretDB@$version"
changes="$PWD/tests/stand_ins/ferretdb"
cache="$PWD/.cache/ferretdb"
stamp="$module $(cat "$changes"/*.sed | cksum)"
[ "$(cat "$cache/stamp" 2>/dev/null)" = "$stamp" ] && exit 0
go="$(command -v go || echo /usr/local/go/bin/go)"
skipped="The tests of the launchpad server are skipped by name, unless QDCOMP_TEST_MONGODB_URI names one."
if [ ! -x "$go" ]; then
  echo "no Go here (https://go.dev/dl). $skipped"
  exit 0
fi
build() {
  rm -rf "$cache/sources" &&
    sources="$("$go" mod download -json "$module" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')" &&
    cp -R "$sources" "$cache/sources" &&
    chmod -R u+w "$cache/sources" &&
    cd "$cache/sources" &&
    sed -i.original -f "$changes/one_write_at_a_time.sed" internal/clientconn/conn.go &&
    sed -i.original -f "$changes/find_by_number.sed" internal/backends/sqlite/collection.go &&
    echo "$version" > build/version/version.txt &&
    "$go" build -o "$cache/ferretdb.partial" ./cmd/ferretdb &&
    mv "$cache/ferretdb.partial" "$cache/ferretdb" &&
    cd "$cache" && rm -rf sources &&
    echo "$stamp" > stamp
}
mkdir -p "$cache"
echo "building FerretDB, once (minutes)"
build > "$cache/build.log" 2>&1 || { tail -3 "$cache/build.log"; echo "not built. $skipped"; }
