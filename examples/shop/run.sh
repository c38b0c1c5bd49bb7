#!/usr/bin/env bash
# From two CSV files to a server of recommendations. Everything it makes goes below the folder $1 (runs/shop).
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
out=${1:-runs/shop}

genrec data import "$here/orders.csv" --items "$here/products.csv" --out "$out/data" \
    --map user_id=customer --map item_id=sku --map timestamp=date --timestamp-unit iso \
    --map-item item_id=sku --map-item title=name --map-item categories=category
genrec finetune --config "$here/shop.yaml" --data "$out/data" --out "$out/model"
exec genrec serve "$out/model" --events "$out/events.db" "${@:2}"
