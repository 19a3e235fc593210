#!/bin/sh
# Printed by `make run` before the service starts.
control=$1
lookup=$2
blocklist=$3
cat <<EOF

The catalog's made-up samples are loaded. Try, in another terminal:

  curl 'http://$lookup/v1/lookup?url=https://www.cinema-pirata.example/film'      # listed
  curl 'http://$lookup/v1/lookup?domain=example.com'                              # not listed

Who listed it and since when wants a token, which '$blocklist token create --role viewer' makes:

  curl -H "Authorization: Bearer TOKEN" 'http://$control/v1/history?target=cinema-pirata.example'

The admin pages are at http://$control/admin/ ; while nobody can sign in, a link that makes the first admin follows. Ctrl-C ends the service.

EOF
