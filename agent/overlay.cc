// SPDX-License-Identifier: Apache-2.0
#include "overlay.h"

#include "objects/decode.h"
#include "objects/objects.h"
#include "source/parse.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <unordered_map>

namespace ebpfd {
namespace {

template <class T> using List = std::vector<std::shared_ptr<const T>>;

FileContent read(const Proposal::File& file)
{
    const auto documents = parse_documents(file.text, file.name);
    if (documents)
        return decode_documents(*documents, FolderKind::policy);
    FileContent content;
    content.errors.push_back(documents.error());
    return content;
}

// Of policies that stand twice in the files the same one counts as in a folder.
ObjectStore read_all(const Proposal& proposal)
{
    ObjectStore store;
    for (const Proposal::File& file : proposal.files)
        store.set(file.name, read(file));
    return store;
}

// What would it do? is not answered by: nothing, it is a dry run.
template <class Policy>
std::shared_ptr<const Policy> in_earnest(const std::shared_ptr<const Policy>& policy, Overlay& out)
{
    if (!policy->dry_run)
        return policy;
    out.notes.push_back(fmt::format("{}:{}: {} is a dry run; judged as if it were enforced",
                                    policy->origin.file, policy->origin.line, policy->key()));
    auto copy = std::make_shared<Policy>(*policy);
    copy->dry_run = false;
    return copy;
}

template <class Policy>
void put(List<Policy>& policies, const SharedList<std::shared_ptr<const Policy>>& proposed,
         Overlay& out)
{
    std::unordered_map<std::string, size_t> places;
    for (size_t place = 0; place < policies.size(); ++place)
        places.emplace(policies[place]->key(), place);
    for (const auto& written : proposed) {
        const auto policy = in_earnest(written, out);
        const auto known = places.find(policy->key());
        if (known == places.end()) {
            policies.push_back(policy);
            out.added.push_back(policy->key());
        } else {
            policies[known->second] = policy;
            out.replaced.push_back(policy->key());
        }
    }
}

template <class Policy> bool erase(List<Policy>& policies, const std::string& key)
{
    return std::erase_if(policies, [&](const auto& policy) { return policy->key() == key; }) > 0;
}

bool remove(World& world, std::string name)
{
    constexpr std::string_view KIND = "NetworkPolicy/";
    if (erase(world.cluster_policies.edit(), name))
        return true;
    if (name.starts_with(KIND))
        name.erase(0, KIND.size());
    return erase(world.policies.edit(), name);
}

} // namespace

Result<Overlay> overlay(const World& world, const Proposal& proposal)
{
    const ObjectStore store = read_all(proposal);
    Overlay out;
    out.world = world;
    out.errors = store.errors();
    out.notes = store.notes();
    if (!out.errors.empty())
        return out;
    for (const std::string& name : proposal.remove) {
        if (!remove(out.world, name))
            return fail(ENOENT, fmt::format("there is no policy {} to remove", name));
        out.removed.push_back(name);
    }
    const auto proposed = store.in_force();
    out.notes.insert(out.notes.end(), proposed.duplicates.begin(), proposed.duplicates.end());
    put(out.world.policies.edit(), proposed.policies, out);
    put(out.world.cluster_policies.edit(), proposed.cluster_policies, out);
    return out;
}

} // namespace ebpfd
