// SPDX-License-Identifier: Apache-2.0
#include "policy/key_writer.h"

#include <algorithm>

namespace ebpfd {

KeyWriter& KeyWriter::text(std::string_view field)
{
    key_ += std::to_string(field.size());
    key_ += ':';
    key_ += field;
    return *this;
}

KeyWriter& KeyWriter::number(uint64_t field)
{
    key_ += std::to_string(field);
    key_ += ';';
    return *this;
}

KeyWriter& KeyWriter::raw(std::string_view written)
{
    key_ += written;
    return *this;
}

KeyWriter& KeyWriter::labels(const Labels& labels)
{
    number(labels.size());
    for (const auto& [key, value] : labels)
        text(key).text(value);
    return *this;
}

KeyWriter& KeyWriter::selector(const Selector& selector)
{
    auto requirements = selector.requirements;
    std::ranges::sort(requirements);
    number(requirements.size());
    for (const Requirement& requirement : requirements) {
        text(requirement.key).number(static_cast<uint64_t>(requirement.op));
        number(requirement.values.size());
        for (const std::string& value : requirement.values)
            text(value);
    }
    return *this;
}

KeyWriter& KeyWriter::block(const IpBlock& block)
{
    auto except = block.except;
    std::ranges::sort(except);
    text(block.cidr.text()).number(except.size());
    for (const Cidr& cidr : except)
        text(cidr.text());
    return *this;
}

} // namespace ebpfd
