#!/bin/sh
# dnsmasq calls this on every change of a lease (dhcp-script, script-on-renewal):
#     joined.sh add|old|del HARDWARE-ADDRESS ADDRESS [NAME]
#
# When did the guest with this address join? The portal asks, because whoever comes back after a
# while is led to it again (captive portal contract, 2.6). $KIEZBOX_JOINED holds a file for each
# address: made anew for a new guest (another inode), touched for one who came back. The hardware
# address is not written down.
#
# And the kernel is told whose the address is, so that no other guest can claim it by ARP and get
# the pages meant for this one; it also saves the question on the air.
set -eu
event=$1 hardware=$2 address=$3
case $address in '' | *[!0-9.]*) exit 0 ;; esac
cd "${KIEZBOX_JOINED:-/run/kiezbox-network/joined}" || exit 0
expires=${DNSMASQ_LEASE_EXPIRES:-0} length=${DNSMASQ_TIME_REMAINING:-0}

# By how far the end of the lease has moved. By nothing: dnsmasq was started. By less than five
# minutes: the guest was hardly away. By half the lease: a renewal by one who never left (dnsmasq
# proposes to renew after half the lease less up to a sixteenth of it). Else it came back.
has_come_back() {
    read -r before <".$address" || return 0
    moved=$((expires - before))
    [ "$moved" -ge 300 ] || return 1
    [ "$moved" -lt $((length * 7 / 16 - 2)) ] || [ "$moved" -gt $((length * 17 / 32 + 2)) ]
}

case $event in
    add)
        rm -f "$address"
        : >"$address"
        ;;
    old) if has_come_back 2>/dev/null; then : >"$address"; fi ;;
    *)
        rm -f "$address" ".$address"
        ip neigh del "$address" dev kb-street 2>/dev/null || :
        exit 0
        ;;
esac
echo "$expires" >".$address"
# Not fatal: a kernel that does not know asks.
ip neigh replace "$address" lladdr "$hardware" dev kb-street nud permanent 2>/dev/null || :
