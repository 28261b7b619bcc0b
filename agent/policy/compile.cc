// SPDX-License-Identifier: Apache-2.0
#include "policy/compile.h"

#include "policy/identities.h"
#include "policy/rule_bits.h"
#include "policy/ruleset_pool.h"
#include "policy/services.h"
#include "policy/subjects.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ebpfd {

namespace {

using RulesetPair = std::array<std::shared_ptr<const Ruleset>, DIRECTION_COUNT>;

// Pods own their addresses, nodes come before pods, and what is left are cluster IPs.
std::vector<PlanAddress> place_addresses(const World& world, const Identities& identities)
{
    std::vector<PlanAddress> others;
    for (const IpAddress& address : world.node_addresses)
        others.push_back({address, PLAN_IDENTITY_NODE});
    std::set<IpAddress> fronts;
    for (const auto& service : world.services)
        fronts.insert(service->cluster_ips.begin(), service->cluster_ips.end());
    for (const IpAddress& address : fronts) {
        if (identities.owner(address) == nullptr && !world.node_addresses.contains(address))
            others.push_back({address, PLAN_IDENTITY_SERVICE});
    }
    std::ranges::sort(others, {}, &PlanAddress::address);
    std::vector<PlanAddress> result;
    result.reserve(identities.addresses().size() + others.size());
    auto other = others.begin();
    for (const auto& [address, identity] : identities.addresses()) {
        for (; other != others.end() && other->address < address; ++other)
            result.push_back(*other);
        result.push_back({address, identity});
    }
    result.insert(result.end(), other, others.end());
    return result;
}

std::vector<PlanService> place_services(const std::vector<ServicePoint>& services)
{
    std::vector<PlanService> result;
    for (const ServicePoint& service : services)
        result.push_back({service.front.address, service.front.port,
                          static_cast<uint8_t>(service.front.protocol), service.identity});
    return result;
}

PlanEndpoint endpoint_of(const LocalInterface& local, const RulesetPair& rulesets)
{
    PlanEndpoint endpoint{.ifindex = local.ifindex,
                          .interface = local.name,
                          .pod_namespace = {},
                          .pod = {},
                          .addresses = {}};
    if (local.pod == nullptr) {
        endpoint.ruleset = {PLAN_RULESET_CLOSED, PLAN_RULESET_CLOSED};
        return endpoint;
    }
    endpoint.pod_namespace = local.pod->pod_namespace;
    endpoint.pod = local.pod->name;
    endpoint.addresses = local.pod->addresses;
    for (size_t dir = 0; dir < rulesets.size(); ++dir)
        if (rulesets[dir] != nullptr)
            endpoint.ruleset[dir] = rulesets[dir]->place;
    return endpoint;
}

// Whether what changed may have a part in a service.
bool concerns_services(const World& world, const IdentityChanges& changes)
{
    if (changes.addresses.empty())
        return false;
    const auto changed = [&](const IpAddress& address) {
        return changes.addresses.contains(address);
    };
    return std::ranges::any_of(world.services,
                               [&](const auto& service) {
                                   return std::ranges::any_of(service->cluster_ips, changed);
                               }) ||
           std::ranges::any_of(world.slices, [&](const auto& slice) {
               return std::ranges::any_of(slice->ready_addresses, changed);
           });
}

} // namespace

// What is kept between two Worlds. Identities and services come first, rule sets follow them,
// and then each subject that may need others finds its own.
class Compiler::State {
public:
    explicit State(World world);
    // Of the World it was made from.
    Result<Plan> compile_all();
    // Whether compile_change() can go on from here to that World. Nodes, the node's addresses and
    // the mode change seldom.
    bool leads_to(const World& next) const;
    Result<Plan> compile_change(World next);

private:
    ServiceChanges change_services(const World& next, const IdentityChanges& changes);
    Result<void> find_rulesets(const std::vector<SubjectChange>& subjects, bool egress_anew,
                               bool names_anew);
    Result<void> find_rulesets(size_t number);
    void place_endpoint(size_t number, std::shared_ptr<const PlanEndpoint> before);
    Plan plan() const;
    void add_rulesets(Plan& plan) const;

    World world_;
    Identities identities_;
    std::vector<std::string> service_warnings_;
    std::vector<ServicePoint> services_;
    RuleBits bits_;
    RulesetPool rulesets_;
    Subjects subjects_;
    std::vector<RulesetPair> found_;   // by subject
    PartList<PlanEndpoint> endpoints_; // by subject
    SharedList<PlanAddress> addresses_;
    SharedList<PlanService> service_places_;
};

Compiler::State::State(World world)
    : world_(std::move(world)), identities_(world_),
      services_(numbered_services(world_, identities_, service_warnings_)),
      bits_(world_, identities_), rulesets_(world_, bits_, identities_, services_),
      subjects_(world_, identities_), addresses_(place_addresses(world_, identities_)),
      service_places_(place_services(services_))
{
}

Result<Plan> Compiler::State::compile_all()
{
    if (auto found = find_rulesets(std::vector<SubjectChange>(subjects_.all().size()), true, true);
        !found)
        return std::unexpected(std::move(found.error()));
    return plan();
}

bool Compiler::State::leads_to(const World& next) const
{
    const bool nodes_matter = !world_.cluster_policies.empty() || !next.cluster_policies.empty();
    return next.audit == world_.audit && next.node_addresses == world_.node_addresses &&
           (!nodes_matter || next.nodes == world_.nodes);
}

Result<Plan> Compiler::State::compile_change(World next)
{
    const auto identities = identities_.update(world_, next);
    const bool had_services = !services_.empty();
    const auto services = change_services(next, identities);
    if (!identities.none())
        bits_.follow(identities);
    if (!identities.none() || !services.none())
        rulesets_.follow(identities, services);
    const auto subjects = subjects_.update(world_, next, identities_);
    if (!identities.addresses.empty() || !next.services.is(world_.services))
        addresses_ = place_addresses(next, identities_);
    const World before = std::exchange(world_, std::move(next));
    const bool egress_anew =
        (had_services || !services_.empty()) && (!identities.none() || !services.none());
    auto found = find_rulesets(subjects, egress_anew, !identities.none());
    if (!found)
        return std::unexpected(std::move(found.error()));
    return plan();
}

ServiceChanges Compiler::State::change_services(const World& next, const IdentityChanges& changes)
{
    if (next.services.is(world_.services) && next.slices.is(world_.slices) &&
        !concerns_services(next, changes))
        return {};
    service_warnings_.clear();
    auto services = resolve_services(next, identities_, service_warnings_);
    const auto result = number_services(services_, services, identities_);
    services_ = std::move(services);
    if (!result.none())
        service_places_ = place_services(services_);
    return result;
}

// egress_anew, names_anew: all rule sets for egress, and all with names that peers resolve, are to
// be found again.
Result<void> Compiler::State::find_rulesets(const std::vector<SubjectChange>& subjects,
                                            bool egress_anew, bool names_anew)
{
    auto before = std::exchange(found_, std::vector<RulesetPair>(subjects.size()));
    const auto endpoints = std::exchange(endpoints_, {});
    for (size_t number = 0; number < subjects.size(); ++number) {
        const auto& [old, changed] = subjects[number];
        const auto part = old ? endpoints.part(*old) : nullptr;
        if (old)
            found_[number] = before[*old];
        const auto& egress = found_[number][DIRECTION_EGRESS];
        const bool anew =
            changed || (egress != nullptr && (egress_anew || (names_anew && egress->resolves)));
        if (anew)
            if (auto found = find_rulesets(number); !found)
                return found;
        if (part != nullptr && !anew)
            endpoints_.put(number, part);
        else
            place_endpoint(number, part);
    }
    before.clear(); // what only it has is to go
    rulesets_.sweep();
    bits_.sweep();
    identities_.forget_selections();
    return {};
}

Result<void> Compiler::State::find_rulesets(size_t number)
{
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        auto ruleset = rulesets_.find(subjects_.all()[number], dir);
        if (!ruleset)
            return fail("compile", std::move(ruleset.error()));
        found_[number][dir] = std::move(*ruleset);
    }
    return {};
}

// before: the same subject's of the last plan, or nullptr.
void Compiler::State::place_endpoint(size_t number, std::shared_ptr<const PlanEndpoint> before)
{
    auto now = endpoint_of(*subjects_.all()[number].local, found_[number]);
    if (before == nullptr || *before != now)
        before = std::make_shared<const PlanEndpoint>(std::move(now));
    endpoints_.put(number, std::move(before));
}

Plan Compiler::State::plan() const
{
    Plan plan;
    plan.rules = bits_.rules();
    plan.identities = identities_.parts();
    plan.addresses = addresses_;
    plan.services = service_places_;
    plan.endpoints = endpoints_;
    add_rulesets(plan);
    plan.warnings = identities_.warnings();
    for (const auto* warnings : {&service_warnings_, &subjects_.warnings()})
        plan.warnings.insert(plan.warnings.end(), warnings->begin(), warnings->end());
    std::ranges::sort(plan.warnings);
    return plan;
}

// Each rule set in its place.
void Compiler::State::add_rulesets(Plan& plan) const
{
    for (const RulesetPair& pair : found_)
        for (const auto& ruleset : pair) {
            if (ruleset == nullptr || (ruleset->place < plan.rulesets.size() &&
                                       plan.rulesets.part(ruleset->place) != nullptr))
                continue;
            plan.rulesets.put(ruleset->place, ruleset->planned);
        }
}

Compiler::Compiler() = default;
Compiler::~Compiler() = default;
Compiler::Compiler(Compiler&&) noexcept = default;
Compiler& Compiler::operator=(Compiler&&) noexcept = default;

Result<Plan> Compiler::compile(const World& world)
{
    auto state = std::exchange(state_, nullptr);
    const bool follows = state != nullptr && state->leads_to(world);
    if (!follows)
        state = std::make_unique<State>(world);
    auto plan = follows ? state->compile_change(world) : state->compile_all();
    if (plan)
        state_ = std::move(state);
    return plan;
}

Result<Plan> compile(const World& world)
{
    return Compiler().compile(world);
}

} // namespace ebpfd
