#!/bin/sh
# Draw docs/images/main.png from a study's report, with headless Chromium.
# Usage: docs/images/make_main.sh out/ieee33 [participation]
set -eu
study=$(cd "$1" && pwd)
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" \
  --force-device-scale-factor=1.5 --window-size=1080,1150 --virtual-time-budget=10000 \
  --screenshot="$(dirname "$0")/main.png" \
  "file://$study/report.html#day&p=${2:-0.7}&only"
