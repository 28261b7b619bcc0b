// SPDX-License-Identifier: Apache-2.0
#include "observe/names.h"

#include "model/names.h"

namespace ebpfd {

std::string RuleName::policy_text() const
{
    return ebpfd::policy_text(kind, policy_namespace, policy);
}

std::string RuleName::rule_text() const
{
    return ebpfd::rule_text(kind, dir, index);
}

AddressNames::Name AddressNames::find(const IpAddress& address) const
{
    if (const auto found = changed_.find(address); found != changed_.end())
        return found->second;
    const auto found = all_->find(address);
    return found == all_->end() ? nullptr : found->second;
}

void AddressNames::settle()
{
    constexpr size_t few = 64;
    if (changed_.size() <= few + all_->size() / 16)
        return;
    Map all = *all_;
    for (const auto& [address, name] : changed_) {
        if (name != nullptr)
            all[address] = name;
        else
            all.erase(address);
    }
    all_ = std::make_shared<Map>(std::move(all));
    changed_.clear();
}

} // namespace ebpfd
