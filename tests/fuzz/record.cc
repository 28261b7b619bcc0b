// SPDX-License-Identifier: Apache-2.0
// Records of the rings, of every type and size, on their way to a reader's line.
#include "ebpfctl/event_line.h"
#include "fuzz/target.h"
#include "kernel/rings.h"
#include "observe/observer.h"
#include "unit/observe/records.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

using namespace ebpfd;

namespace fuzz {
namespace {

void expect_line(const AttributedEvent& record)
{
    const std::string text = to_json_line(record);
    expect(std::ranges::count(text, '\n') == 1 && text.ends_with('\n'), "a record is one line");
    const auto json = ctl::Json::parse(text, nullptr, false);
    expect(json.is_object(), "a record is an object");
    for (const char* field : {"time", "type", "verdict", "source", "destination", "tcp"})
        expect(json.contains(field), fmt::format("a record has a {}", field));
    for (const bool wide : {false, true})
        expect(!ctl::event_line(json, wide).empty(), "a record can be shown");
}

void expect_counted(const Observer& observer, size_t records)
{
    const Observer::Counts counts = observer.counts();
    expect(counts.consumed == records, "each record is counted");
    expect(std::accumulate(counts.by_type.begin(), counts.by_type.end(), uint64_t{0}) == records,
           "each record is of one type or of none");
    expect(counts.kept + counts.evicted == records, "what is not kept has made room");
}

} // namespace

// The first byte says how many bytes the rings give at a time.
void try_input(std::string_view input)
{
    if (input.empty())
        return;
    const size_t size = input.front() == 0 ? sizeof(event) : static_cast<uint8_t>(input.front());
    input.remove_prefix(1);
    Observer observer(4096);
    observer.set_names(ebpfd::testing::names());
    size_t records = 0;
    for (; !input.empty(); input.remove_prefix(std::min(size, input.size()))) {
        const std::string bytes(input.substr(0, size));
        const auto record = read_record(bytes.data(), bytes.size());
        expect(record.has_value() == (bytes.size() == sizeof(event)), "only whole records count");
        if (!record)
            continue;
        observer.consume(*record);
        expect_line(attribute(*record, *ebpfd::testing::names(), 0));
        records++;
    }
    expect_counted(observer, records);
    for (const AttributedEvent& record : observer.recent({}, {}))
        expect_line(record);
}

} // namespace fuzz
