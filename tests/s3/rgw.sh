#!/bin/bash
# One whole Ceph cluster for tests on loopback: a monitor, one OSD in memory, an object gateway.
#   rgw.sh FOLDER GATEWAY-PORT MONITOR-PORT
# Says `ready` once the gateway answers. Lives as long as its standard input is open: whoever started
# it may be killed, and nothing stays. The folder goes too.
set -euo pipefail
folder=$1 gateway=$2 monitor=$3
conf=$folder/ceph.conf
id=$(</proc/sys/kernel/random/uuid)
mkdir -p "$folder"/{mon,osd,run}

cat >"$conf" <<CONF
[global]
fsid = $id
mon host = v2:127.0.0.1:$monitor
mon initial members = t
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
; The gateway would have it secure, which needs keys.
ms mon client mode = crc
auth cluster required = none
auth service required = none
auth client required = none
keyring = $folder/keyring
mon data = $folder/mon
osd data = $folder/osd
run dir = $folder/run
admin socket =
log file = $folder/\$name.log
debug default = 0/0
; Nothing waits for others: there is one of each.
paxos propose interval = 0.02
paxos min wait = 0.01
mon osd initial require min compat client = luminous
mon allow pool size one = true
mon max pg per osd = 10000
mon data avail crit = 0
mon data avail warn = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 2
osd pool default pgp num = 2
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd crush update on start = false
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 939524096
osd op num shards = 2
osd op num threads per shard = 1
rgw frontends = beast endpoint=127.0.0.1:$gateway
rgw thread pool size = 64
rgw dns name = localhost
rgw run sync thread = false
rgw enable lc threads = false
rgw enable usage log = false
; A quota is looked up for every request, so that one can be filled in a test.
rgw bucket quota ttl = 0
rgw user quota bucket sync interval = 0
rgw user quota sync interval = 0
CONF

children=()
finish() {
  trap - EXIT
  kill -KILL "${children[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
# What this shell starts dies with it, however it dies.
start() {
  setpriv --pdeathsig KILL -- "$@" </dev/null >"$folder/$(basename "$1").out" 2>&1 &
  children+=($!)
}
ceph() { command ceph --conf "$conf" --connect-timeout 20 "$@"; }

ceph-authtool --create-keyring "$folder/keyring" --gen-key --name mon. --cap mon 'allow *' >/dev/null
ceph-authtool "$folder/keyring" --gen-key --name client.admin \
  --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
monmaptool --create --fsid "$id" --addv t "v2:127.0.0.1:$monitor" "$folder/map" >/dev/null
ceph-mon --conf "$conf" --mkfs --id t --monmap "$folder/map" --keyring "$folder/keyring"
start ceph-mon --conf "$conf" --id t --foreground
osd=$(</proc/sys/kernel/random/uuid)
ceph osd new "$osd" >/dev/null
ceph osd crush add osd.0 1.0 root=default host=localhost >/dev/null 2>&1
ceph-osd --conf "$conf" --id 0 --mkfs --osd-uuid "$osd" >/dev/null 2>&1
start ceph-osd --conf "$conf" --id 0 --foreground
start radosgw --conf "$conf" --name client.admin --foreground

until exec 3<>"/dev/tcp/127.0.0.1/$gateway"; do
  kill -0 "${children[@]}"
  sleep 0.05
done 2>/dev/null
exec 3>&-
echo ready
# Until the end of standard input.
cat >/dev/null
