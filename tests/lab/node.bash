# SPDX-License-Identifier: Apache-2.0
# A node with the pods web, 10.9.0.2, and db, 10.9.1.2, and what tests written for bash say about it.
# Who reads this has set
#   name        the first part of the names of network namespaces
#   root        the folder that is the node's root; empty: /
#   patience    seconds after which a packet that is not answered was dropped
#   within      seconds in which what is awaited has to come
#   on_node     a function that runs a command in the node's network namespace
#   show_log    a function that prints what helps when a test fails
# shellcheck shell=bash disable=SC2154

say() { printf '== %s\n' "$1"; }
fail() {
    echo "${0##*/}: $1" >&2
    show_log
    exit 1
}
expect() { # expect WHAT COMMAND...
    local what=$1
    shift
    "$@" || fail "not so: $what"
}
no() { ! "$@"; }

eventually() { # eventually WHAT COMMAND...
    local what=$1 end=$((SECONDS + within))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "it never came to this: $what"
        sleep 0.05
    done
}

make_pods() {
    local pod subnet=0
    for pod in web db; do
        ip netns add "$name-$pod"
        ip -n "$name-$pod" link set lo up
        on_node ip link add "veth-$pod" type veth peer name "peer-$pod"
        on_node ip link set "peer-$pod" netns "$name-$pod" name eth0
        on_node ip addr add "10.9.$subnet.1/24" dev "veth-$pod"
        on_node ip link set "veth-$pod" up
        ip -n "$name-$pod" addr add "10.9.$subnet.2/24" dev eth0
        ip -n "$name-$pod" link set eth0 up
        ip -n "$name-$pod" route add default via "10.9.$subnet.1"
        subnet=$((subnet + 1))
    done
    on_node sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
}

# passes PORT [SECONDS]: nobody listens, so what may pass is refused by db at once; what may not is
# not answered.
passes() {
    local ended=0
    timeout "${2-5}" nsenter --net="/run/netns/$name-web" \
        bash -c "exec 3<>/dev/tcp/10.9.1.2/$1" 2>/dev/null || ended=$?
    ((ended == 1))
}
is_refused() { no passes "$1" "$patience"; }

# Until it is ended, an attempt of each kind after the other; lines "wrong" and "right".
probe() {
    while :; do
        for outcome in "passes 80" "is_refused 81"; do
            if $outcome; then echo "right"; else echo "wrong: $outcome, $(date +%T)"; fi
        done
    done
}

# count_probes FILE: what probe wrote; none may be wrong, and there have to be some.
count_probes() {
    local right wrong
    right=$(grep -c right "$1" || true)
    wrong=$(grep -c wrong "$1" || true)
    echo "$((right + wrong)) connections, $wrong wrong"
    expect "there was traffic" test "$right" -gt 10
    ((wrong == 0)) || { grep wrong "$1" >&2; fail "connections were judged wrongly"; }
}

write_inventory() { # write_inventory POD ADDRESS
    cat >"$root/etc/ebpfd/inventory.d/$1.yaml" <<END
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: shop, labels: {app: $1}}
status: {podIP: $2}
END
}

# Of db's ports one is open: 80, or the one that is given.
write_policy() {
    cat >"$root/etc/ebpfd/policies.d/db.yaml" <<END
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - ports: [{port: ${1-80}}]
END
}
