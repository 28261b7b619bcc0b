// SPDX-License-Identifier: Apache-2.0
#include "kernel/flow_table.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace ebpfd {

namespace {

// An array map's values, while this object lives.
template <class T> class Mapped {
public:
    static Result<Mapped> map(const RawMap& array, int protection)
    {
        const size_t bytes = array.capacity() * sizeof(T);
        void* start = mmap(nullptr, bytes, protection, MAP_SHARED, array.fd(), 0);
        if (start == MAP_FAILED)
            return fail_errno("map " + array.name() + " into memory");
        Mapped mapped;
        mapped.values_ = {static_cast<T*>(start), Unmap{bytes}};
        return mapped;
    }
    T& operator[](size_t number) const { return values_.get()[number]; }

private:
    struct Unmap {
        size_t bytes = 0;
        void operator()(T* start) const { munmap(start, bytes); }
    };
    std::unique_ptr<T, Unmap> values_;
};

flow_class class_of(uint32_t tag)
{
    return static_cast<flow_class>(tag & FLOW_CLASS_MASK);
}

bool is_readable(uint32_t tag)
{
    return class_of(tag) >= FLOW_ENTRY_REFUSED && class_of(tag) <= FLOW_ENTRY_LASTING;
}

Result<RawMap> open_array(const std::string& folder, const char* name, size_t value_size)
{
    // Of a descriptor for reading alone the kernel makes no shared mapping.
    auto map = RawMap::open_pinned(folder, name);
    if (map && map->value_size() != value_size)
        return fail(EINVAL, std::string("open ") + name + ": its values have another size");
    return map;
}

// Copies entries. The kernel maps all pages of an array at once, for some 0.5 us each, and to look
// up an entry takes some 0.9: where few are asked for, each is looked up.
class EntryReader {
public:
    static Result<EntryReader> open(const RawMap& entries, size_t wanted)
    {
        EntryReader reader(entries);
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        if (wanted < entries.capacity() * sizeof(flow_entry) / page)
            return reader;
        auto mapped = Mapped<flow_entry>::map(entries, PROT_READ);
        if (!mapped)
            return std::unexpected(mapped.error());
        reader.mapped_ = std::move(*mapped);
        return reader;
    }
    Result<void> copy(uint32_t number, flow_entry& to) const
    {
        if (mapped_) {
            std::memcpy(&to, &(*mapped_)[number], sizeof(to));
            return {};
        }
        const auto found = entries_.lookup(&number, &to);
        return found ? Result<void>{} : std::unexpected(found.error());
    }

private:
    explicit EntryReader(const RawMap& entries) : entries_(entries) {}
    const RawMap& entries_;
    std::optional<Mapped<flow_entry>> mapped_;
};

uint32_t& tag_of(const Mapped<flow_tags>& buckets, uint32_t number)
{
    return buckets[number / FLOW_WAYS].tag[number % FLOW_WAYS];
}

// Reading alone: a mapping without PROT_WRITE takes no read-modify-write.
uint32_t load(const uint32_t& tag)
{
    return __atomic_load_n(&tag, __ATOMIC_ACQUIRE);
}

bool is_flow(uint32_t tag)
{
    return is_readable(tag) && class_of(tag) != FLOW_ENTRY_REFUSED;
}

// Those that can be read now.
struct Readable {
    std::vector<uint32_t> numbers;
    size_t flows = 0; // so many of them
};

Readable find_readable(const Mapped<flow_tags>& buckets, uint32_t entries)
{
    Readable found;
    for (uint32_t number = 0; number < entries; ++number) {
        const uint32_t tag = load(tag_of(buckets, number));
        if (!is_readable(tag))
            continue;
        found.numbers.push_back(number);
        found.flows += is_flow(tag);
    }
    return found;
}

// Hands over each entry, with its tag, that was the same before and after it was copied, to what
// begin makes of the number of flows.
template <class Begin>
Result<void> read_entries(const RawMap& tags, const RawMap& entries, int tag_protection,
                          const Begin& begin)
{
    const auto buckets = Mapped<flow_tags>::map(tags, tag_protection);
    if (!buckets)
        return std::unexpected(buckets.error());
    const auto found = find_readable(*buckets, entries.capacity());
    const auto reader = EntryReader::open(entries, found.numbers.size());
    if (!reader)
        return std::unexpected(reader.error());
    const auto each = begin(found.flows);
    for (const uint32_t number : found.numbers) {
        uint32_t& tag = tag_of(*buckets, number);
        const uint32_t seen = load(tag);
        if (!is_readable(seen))
            continue;
        flow_entry copy;
        if (auto copied = reader->copy(number, copy); !copied)
            return copied;
        std::atomic_thread_fence(std::memory_order_acquire);
        if (__atomic_load_n(&tag, __ATOMIC_RELAXED) == seen)
            each(tag, seen, copy);
    }
    return {};
}

} // namespace

Result<FlowTable> FlowTable::open_pinned(const std::string& folder)
{
    FlowTable table;
    auto tags = open_array(folder, "flow_tag_map", sizeof(flow_tags));
    if (!tags)
        return std::unexpected(tags.error());
    auto entries = open_array(folder, "flow_map", sizeof(flow_entry));
    if (!entries)
        return std::unexpected(entries.error());
    if (entries->capacity() != tags->capacity() * FLOW_WAYS)
        return fail(EINVAL, "open flow_map: it has not the size that its tags have");
    table.tags_ = std::move(*tags);
    table.entries_ = std::move(*entries);
    return table;
}

uint32_t FlowTable::buckets_for(uint32_t flows)
{
    constexpr uint32_t each = FLOW_WAYS / 2;
    constexpr uint32_t most = 1U << 24; // entries are numbered with 31 bits, their class included
    const uint32_t wanted = std::max(flows / each + (flows % each != 0), 1U);
    return wanted >= most ? most : std::bit_ceil(wanted);
}

Result<void> FlowTable::for_each(const Visit& visit) const
{
    return read_entries(tags_, entries_, PROT_READ, [&](size_t) {
        return [&](const uint32_t&, uint32_t seen, const flow_entry& entry) {
            if (is_flow(seen))
                visit(entry.key, entry.flow);
        };
    });
}

Result<std::vector<std::pair<flow_key, flow>>> FlowTable::entries() const
{
    std::vector<std::pair<flow_key, flow>> all;
    auto done =
        for_each([&](const flow_key& key, const flow& value) { all.emplace_back(key, value); });
    if (!done)
        return std::unexpected(done.error());
    return all;
}

Result<size_t> FlowTable::size() const
{
    const auto buckets = Mapped<flow_tags>::map(tags_, PROT_READ);
    if (!buckets)
        return std::unexpected(buckets.error());
    return find_readable(*buckets, entries_.capacity()).flows;
}

Result<void> FlowTable::free_if(const Rule& rule, const Visit& gone) const
{
    return read_entries(tags_, entries_, PROT_READ | PROT_WRITE, [&](size_t flows) {
        return [&gone, pick = rule(flows)](uint32_t& tag, uint32_t seen, const flow_entry& entry) {
            if (!pick(class_of(seen), entry.key, entry.flow))
                return;
            const bool freed = std::atomic_ref(tag).compare_exchange_strong(seen, FLOW_ENTRY_FREE);
            if (freed && is_flow(seen))
                gone(entry.key, entry.flow);
        };
    });
}

Result<void> FlowTable::free_if(const Pick& pick, const Visit& gone) const
{
    return free_if([&](size_t) { return pick; }, gone);
}

} // namespace ebpfd
