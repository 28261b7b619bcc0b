/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * The flow table: see ebpfd/flow.h. There are no locks. Whoever changes the tag of an entry from
 * what he saw owns what follows from it; whoever reads an entry looks at its tag again afterwards.
 */
#include "flow.bpf.h"
#include "ebpfd/verdict.h"

#include <linux/errno.h>

const volatile struct flow_hashing hashing = {.buckets = 1}; /* set between open and load */

/* A flow's key, as it is hashed and compared. */
struct flow_id {
	__u64 word[sizeof(struct flow_key) / 8 + 1];
	__u64 hash; /* best mixed in its upper half */
};

#define TAG_SHIFT 32

/* An entry, and its tag when it was found. */
struct found {
	struct flow_entry *entry; /* NULL: there is none */
	__u32 *tag;
	__u32 seen;
	__u32 number;
};

static __always_inline __u64 seeded(__u32 pair, __u64 first, __u64 second)
{
	return (hashing.seed[2 * pair] + first) * (hashing.seed[2 * pair + 1] + second);
}

/*
 * A sum of products with secret seeds: whatever two keys are, the seeds decide whether their sums
 * collide, so nobody can choose his bucket (multilinear hashing: Lemire, Kaser, 2014). Keys in a row
 * have sums in a row, which the last multiplication scatters.
 */
static __always_inline void hash_id(struct flow_id *id)
{
	const __u64 *word = id->word;
	__u64 sum;

	sum = seeded(0, (__u32)word[0], word[0] >> 32);
	sum += seeded(1, (__u32)word[1], word[1] >> 32);
	/* Interfaces have low numbers: there is room for the protocol above them. */
	sum += seeded(2, (__u32)word[2] + (word[3] << 24), word[2] >> 32);
	id->hash = (sum ^ sum >> 32) * 0x9e3779b97f4a7c15ULL;
}

static __always_inline void make_id(struct flow_id *id, const struct flow_key *key)
{
	id->word[3] = 0;
	__builtin_memcpy(id->word, key, sizeof(*key));
	hash_id(id);
}

/* What a flow's tag begins with. */
static __always_inline __u32 tag_of(const struct flow_id *id)
{
	return (id->hash >> TAG_SHIFT) & ~FLOW_CLASS_MASK;
}

static __always_inline __u32 class_of(__u32 tag)
{
	return tag & FLOW_CLASS_MASK;
}

static __always_inline __u32 bucket_of(const struct flow_id *id, int second)
{
	__u32 hash = id->hash >> TAG_SHIFT;

	if (second)
		hash = (hash >> 16 | hash << 16) * 0x9e3779b1U;
	return hash & (hashing.buckets - 1);
}

static __always_inline struct flow_tags *tags_of(__u32 bucket)
{
	return bpf_map_lookup_elem(&flow_tag_map, &bucket);
}

static __always_inline struct flow_entry *entry_of(__u32 number)
{
	return bpf_map_lookup_elem(&flow_map, &number);
}

/* What was loaded before stays before what is loaded behind. x86 orders loads by itself. */
static __always_inline void order_loads(void)
{
#ifdef __TARGET_ARCH_x86
	asm volatile("" ::: "memory");
#else
	__u64 fence;

	__sync_lock_test_and_set(&fence, 0);
#endif
}

static __always_inline __u32 read_tag(const __u32 *tag)
{
	__u32 now = *(const volatile __u32 *)tag;

	order_loads();
	return now;
}

/* Whether the entry is still what it was when it was found. */
static __always_inline int is_unchanged(const struct found *f)
{
	order_loads();
	return *(volatile __u32 *)f->tag == f->seen;
}

static __always_inline int has_key(const struct flow_entry *entry, const struct flow_id *id)
{
	const __u64 *word = (const __u64 *)&entry->key;

	/* Without a branch: one path to verify. */
	return !((word[0] ^ id->word[0]) | (word[1] ^ id->word[1]) | (word[2] ^ id->word[2]) |
	         (word[3] ^ id->word[3]));
}

/* Whether that class is one of entries that can be found. */
static __always_inline int is_findable(__u32 class)
{
	return class >= FLOW_ENTRY_REFUSED && class <= FLOW_ENTRY_LASTING;
}

/* Where in its bucket a flow would rather be, and is looked for first. */
static __always_inline __u32 first_way(const struct flow_id *id)
{
	return id->hash >> 29; /* the bits below those of the tag */
}

static __always_inline int find_in(struct found *f, const struct flow_id *id, __u32 bucket)
{
	struct flow_tags *tags = tags_of(bucket);
	__u32 wanted = tag_of(id);

	if (!tags)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FLOW_WAYS; i++) {
		__u32 way = (first_way(id) + i) & (FLOW_WAYS - 1);

		f->tag = &tags->tag[way];
		f->seen = read_tag(f->tag);
		if ((f->seen ^ wanted) > FLOW_CLASS_MASK || !is_findable(class_of(f->seen)))
			continue;
		f->number = bucket * FLOW_WAYS + way;
		f->entry = entry_of(f->number);
		if (f->entry && has_key(f->entry, id) && is_unchanged(f))
			return 1;
	}
	return 0;
}

static __always_inline void find_entry(struct found *f, const struct flow_id *id)
{
	__builtin_memset(f, 0, sizeof(*f));
	if (!find_in(f, id, bucket_of(id, 0)) && !find_in(f, id, bucket_of(id, 1)))
		f->entry = NULL;
}

/* The number of a flow's entry, or -ENOENT. A global function: verified once. */
__noinline int find_number(const struct flow_id *id)
{
	struct found f;

	if (!id)
		return -ENOENT;
	find_entry(&f, id);
	return f.entry ? (int)f.number : -ENOENT;
}

/* The entry of that number, as it is now. Returns whether it can be used. */
static __always_inline int take_entry(struct found *f, __u32 number)
{
	struct flow_tags *tags = tags_of(number / FLOW_WAYS);

	f->number = number;
	f->entry = entry_of(number);
	if (!tags || !f->entry)
		return 0;
	f->tag = &tags->tag[number % FLOW_WAYS];
	f->seen = read_tag(f->tag);
	return 1;
}

/* Where speed matters less than stack and verification. Returns whether there is one. */
static __always_inline int look_up(struct found *f, const struct flow_id *id)
{
	int number = find_number(id);

	if (number >= 0 && take_entry(f, number) && is_findable(class_of(f->seen)) &&
	    has_key(f->entry, id) && is_unchanged(f))
		return 1;
	f->entry = NULL;
	return 0;
}

/* Returns whether the tag was still what was seen of it. */
static __always_inline int change_tag(struct found *f, __u32 tag)
{
	if (!__sync_bool_compare_and_swap(f->tag, f->seen, tag))
		return 0;
	f->seen = tag;
	return 1;
}

static __always_inline int change_class(struct found *f, __u32 class)
{
	return change_tag(f, (f->seen & ~FLOW_CLASS_MASK) | class);
}

/*
 * Keeps an entry from being given away while it is worked on. Somebody else may just have done so,
 * or have let go. Returns whether the entry is still this flow's.
 */
static __always_inline int hold_entry(struct found *f, const struct flow_id *id)
{
	for (int tries = 0; tries < 3; tries++) {
		if (class_of(f->seen) == FLOW_ENTRY_LASTING ||
		    change_class(f, FLOW_ENTRY_LASTING))
			return has_key(f->entry, id) && is_unchanged(f);
		f->seen = read_tag(f->tag);
		if ((f->seen ^ tag_of(id)) > FLOW_CLASS_MASK ||
		    !is_findable(class_of(f->seen)))
			break;
	}
	return 0;
}

/* 1 or 0, without a branch: one path to verify. */
static __always_inline __u32 is_class(__u32 tag, __u32 class)
{
	return ((class_of(tag) ^ class) + FLOW_CLASS_MASK) / (FLOW_CLASS_MASK + 1) ^ 1;
}

/* Whether those that last have taken all that they may have of a bucket. */
static __always_inline int is_crowded(__u32 bucket)
{
	const struct flow_tags *tags = tags_of(bucket);
	__u32 lasting = 0;

	if (!tags)
		return 1;
	for (__u32 way = 0; way < FLOW_WAYS; way++)
		lasting += is_class(read_tag(&tags->tag[way]), FLOW_ENTRY_LASTING);
	return lasting > FLOW_LASTING_WAYS;
}

/*
 * After work on an entry that was held, and was of that class before. Returns 0 if it should last
 * but its bucket has no room for that: it may be given away then, like one without an answer.
 */
static __always_inline int let_go(struct found *f, __u32 before)
{
	const struct flow *flow = &f->entry->flow;

	if (flow->state == FLOW_CLOSED)
		change_class(f, FLOW_ENTRY_CLOSED);
	else if (is_pending(flow))
		change_class(f, FLOW_ENTRY_PENDING);
	else if (before == FLOW_ENTRY_PENDING && is_crowded(f->number / FLOW_WAYS))
		return !change_class(f, FLOW_ENTRY_PENDING);
	return 1;
}

/* The best that a bucket has for a newcomer. */
struct room {
	__u32 rank;  /* class of who is there; then how far from the first way; then the way */
	__u32 taken; /* entries that are not free */
};

#define RANK_CLASS_SHIFT 6

/* Without branches: each would double what there is to verify. */
static __always_inline __u32 smaller(__u32 a, __u32 b)
{
	__u32 difference = a - b;

	asm volatile("" : "+r"(difference));
	return b + (difference & (__u32)((__s32)difference >> 31));
}

/*
 * -EBUSY: another CPU is writing a flow with this tag. -EEXIST: one is there, which can be another
 * flow, unless the caller knows already.
 */
static __always_inline int survey(struct room *room, const struct flow_id *id, __u32 bucket,
                                  int others_known)
{
	const struct flow_tags *tags = tags_of(bucket);

	room->rank = ~0U >> 1;
	room->taken = 0;
	if (!tags)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FLOW_WAYS; i++) {
		__u32 way = (first_way(id) + i) & (FLOW_WAYS - 1);
		__u32 tag = read_tag(&tags->tag[way]);

		if (tag == (tag_of(id) | FLOW_ENTRY_BUSY))
			return -EBUSY;
		if ((tag ^ tag_of(id)) <= FLOW_CLASS_MASK && tag && !others_known)
			return -EEXIST;
		room->taken += 1 - is_class(tag, FLOW_ENTRY_FREE);
		room->rank = smaller(room->rank, class_of(tag) << RANK_CLASS_SHIFT |
		                                         i * FLOW_WAYS | way);
	}
	return 0;
}

static __always_inline int number_room(__u32 bucket, __u32 rank)
{
	__u32 number = bucket * FLOW_WAYS + (rank & (FLOW_WAYS - 1));

	return number * (FLOW_CLASS_MASK + 1) + (rank >> RANK_CLASS_SHIFT);
}

/*
 * Which entry is the best for a newcomer. Once the first bucket is half full, the less crowded one is
 * taken, so that a table which is half full has room for everybody. Returns its number, and the class
 * of who is there in the lowest bits; or what survey() says. A global function: verified once.
 */
__noinline int find_room(const struct flow_id *id, int others_known)
{
	__u32 bucket, second;
	struct room best, other;
	int error;

	if (!id)
		return -EBUSY;
	bucket = bucket_of(id, 0);
	error = survey(&best, id, bucket, others_known);
	if (error)
		return error;
	if (best.taken < FLOW_WAYS / 2)
		return number_room(bucket, best.rank);
	second = bucket_of(id, 1);
	error = survey(&other, id, second, others_known);
	if (error)
		return error;
	if (other.rank >> RANK_CLASS_SHIFT < best.rank >> RANK_CLASS_SHIFT ||
	    (other.rank >> RANK_CLASS_SHIFT == best.rank >> RANK_CLASS_SHIFT &&
	     other.taken < best.taken))
		return number_room(second, other.rank);
	return number_room(bucket, best.rank);
}

/* Makes the entry of that number busy, if it is still of that class. */
static __always_inline int take_room(const struct flow_id *id, struct found *f, __u32 number,
                                     __u32 class)
{
	if (!take_entry(f, number))
		return 0;
	return class_of(f->seen) == class && change_tag(f, tag_of(id) | FLOW_ENTRY_BUSY);
}

/*
 * Takes an entry for a newcomer of that class, which is then busy: free, or of a class below his own
 * or like it. Returns the class of who was there, -ENOSPC if there is no room, -EBUSY if another CPU
 * is at this flow.
 */
static __always_inline int claim_entry(const struct flow_id *id, struct found *f, __u32 class)
{
	int room = find_room(id, 0);

	for (int tries = 0; tries < 2; tries++) {
		if (room == -EEXIST) /* since it was looked for, or another flow with its tag */
			room = look_up(f, id) ? -EBUSY : find_room(id, 1);
		if (room < 0)
			return room;
		if (class_of(room) > class)
			return -ENOSPC;
		if (take_room(id, f, (__u32)room / (FLOW_CLASS_MASK + 1), class_of(room)))
			return class_of(room);
		room = find_room(id, 0); /* somebody was faster */
	}
	return -EBUSY;
}

/* Fills a busy entry and opens it to all. */
static __always_inline void publish_entry(struct found *f, const struct flow_id *id,
                                          const struct flow *flow, __u32 class)
{
	__u64 *word = (__u64 *)&f->entry->key;

	for (__u32 i = 0; i < sizeof(id->word) / 8; i++)
		word[i] = id->word[i];
	f->entry->flow = *flow;
	__sync_lock_test_and_set(f->tag, tag_of(id) | class);
}
