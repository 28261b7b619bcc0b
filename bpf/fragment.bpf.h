/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Later fragments, by what the first one said of their ports. */
#include "track.bpf.h"

static __always_inline void make_fragment_key(struct fragment_key *key, const struct passage *at,
                                              __u32 ifindex)
{
	const struct tuple *t = &at->packet.tuple;

	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->source, t->source, sizeof(key->source));
	__builtin_memcpy(key->destination, t->destination, sizeof(key->destination));
	key->ifindex = ifindex;
	key->identifier = at->packet.fragment_id;
	key->protocol = is_mapped_ipv4(t->source_word) ? t->protocol : 0;
	key->direction = at->direction;
}

/* A first fragment tells the later ones their ports. */
static __noinline int remember_fragment(const struct passage *at, __u32 ifindex)
{
	struct fragment_ports ports = {
		.source = at->packet.tuple.source_port,
		.destination = at->packet.tuple.destination_port,
		.protocol = at->packet.tuple.protocol,
		.query = at->packet.tuple.query,
	};
	struct fragment_key key;
	struct ledger *ledger;

	make_fragment_key(&key, at, ifindex);
	if (!bpf_map_update_elem(&fragment_map, &key, &ports, BPF_ANY))
		return 0;
	ledger = this_ledger();
	if (ledger)
		ledger->fragments_full++;
	return 0;
}

/* Completes a later fragment by its first one. Returns whether that was seen. */
static __noinline int recall_fragment(struct passage *at, __u32 ifindex)
{
	struct fragment_ports *ports;
	struct fragment_key key;

	make_fragment_key(&key, at, ifindex);
	ports = bpf_map_lookup_elem(&fragment_map, &key);
	if (!ports)
		return 0;
	at->packet.tuple.source_port = ports->source;
	at->packet.tuple.destination_port = ports->destination;
	at->packet.tuple.protocol = ports->protocol;
	at->packet.tuple.query = ports->query;
	at->packet.answer = 1; /* opens nothing of its own */
	return 1;
}
