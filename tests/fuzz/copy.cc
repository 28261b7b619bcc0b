// SPDX-License-Identifier: Apache-2.0
// The agent's own copies of what files last validly said, as a later agent finds them.
#include "fuzz/target.h"
#include "valid_copy.h"
#include "valid_places.h"

using namespace ebpfd;

namespace fuzz {

static void try_places(std::string_view input)
{
    const auto places = parse_places(input);
    if (!places) {
        expect(!places.error().message.empty(), "a refusal has a reason");
        return;
    }
    const auto again = parse_places(text_of(*places));
    expect(again.has_value() && *again == *places, "places that are written read the same");
}

void try_input(std::string_view input)
{
    try_places(input);
    const auto head = parse_valid_head(input);
    if (!head) {
        expect(!head.error().message.empty(), "a refusal has a reason");
        return;
    }
    expect(head->length <= input.size(), "a head ends within its copy");
    const std::string text = valid_head(head->key, head->copy);
    const auto again = parse_valid_head(text);
    expect(again.has_value() && again->key == head->key && again->copy == head->copy,
           "a head that is written reads the same");
    expect(again->length == text.size(), "a head is as long as it says");
}

} // namespace fuzz
