# shellcheck shell=sh
# A whole Ceph cluster of one of each in this container, its objects in memory, with an S3 gateway on port 7480. It is
# fresh at each start. ACCESS_KEY and SECRET_KEY are those of its one user.
set -eu
fsid=$(cat /proc/sys/kernel/random/uuid)
osd=$(cat /proc/sys/kernel/random/uuid)
mkdir -p /var/lib/ceph/mon/ceph-a /var/lib/ceph/osd/ceph-0 /var/run/ceph
cat >/etc/ceph/ceph.conf <<CONF
[global]
fsid = $fsid
mon host = v1:127.0.0.1:6789
auth cluster required = none
auth service required = none
auth client required = none
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
[mon.a]
mon data avail crit = 1
[client.rgw]
rgw frontends = beast endpoint=0.0.0.0:7480
CONF
monmaptool --create --fsid "$fsid" --addv a "[v1:127.0.0.1:6789]" /tmp/monmap
ceph-mon --mkfs -i a --monmap /tmp/monmap
ceph-mon -i a
ceph-mgr -i x
ceph osd new "$osd" 0
ceph-osd -i 0 --mkfs --osd-uuid "$osd"
ceph-osd -i 0
radosgw -n client.rgw
until radosgw-admin user create --uid testbed --display-name testbed --access-key "$ACCESS_KEY" --secret-key "$SECRET_KEY"; do
  sleep 1
done >/dev/null 2>&1
echo ready
while pidof radosgw >/dev/null; do sleep 1; done
