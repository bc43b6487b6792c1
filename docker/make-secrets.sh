#!/bin/sh
# Makes docker/secrets: what can be made is made at random, what only you have is left empty to be filled in.
# Run again at any time: a file that exists is never changed.
set -eu

folder="$(dirname "$0")/secrets"
umask 077
mkdir -p "$folder"

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
make() { [ -e "$folder/$1" ] || { printf '%s' "$2" >"$folder/$1"; echo "made $folder/$1"; }; }

make postgres_password "$(random 24)"
make database_url "postgres://warandpeace:$(cat "$folder/postgres_password")@postgres:5432/warandpeace"
make secret_key "$(random 40)"
make metrics_token "$(random 24)"
make grafana_password "$(random 12)"
for name in telegram_bot_token google_api_keys mistral_api_key openai_api_key; do
	make "$name" ""
done

# The containers run as other users than you: the folder is closed to everybody else, its files are not.
chmod 644 "$folder"/*
