// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"
#include "bench/groups.h"
#include "bench/traffic.h"
#include "datapath/bench.h"

#include <bpf/bpf.h>
#include <ctime>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <stdexcept>
#include <thread>

// What a packet costs, over a program that does nothing: test runs of the loaded datapath.
namespace bench {
namespace {

using namespace lab;
using namespace std::chrono_literals;

constexpr int repeat = 100'000;
constexpr uint16_t port = 0x8000; // shuffled packets go to this port and those above
constexpr const char* over_empty = "ns over an empty program";

double thread_cpu_ns()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// CPU time of one run, in ns: not what others took of the core meanwhile.
double cost(int program, const Bytes& frame, uint32_t ifindex, int times = repeat)
{
    __sk_buff context{};
    context.ifindex = ifindex;
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
                .data_size_in = static_cast<__u32>(frame.size()), .ctx_in = &context,
                .ctx_size_in = sizeof(context), .repeat = times);
    const double before = thread_cpu_ns();
    if (const int error = bpf_prog_test_run_opts(program, &run))
        throw std::runtime_error(fmt::format("test run: error {}", error));
    return (thread_cpu_ns() - before) / times;
}

// What a policy for shop/web looks like besides its last rule, which lets it connect to db.
struct Shape {
    int rules = 1; // the last one included
    int cidrs = 0; // of one more rule
    int dry_run_rules = 0;
    int tiers = 1; // 3: a rule of the Admin tier passes first, one of the Baseline tier comes last
    uint32_t open_flows = 1;
    bool observed = false;
};

std::string head(const char* name, const char* annotations = "")
{
    return fmt::format("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                       "metadata: {{name: {}, namespace: shop{}}}\n"
                       "spec:\n  podSelector: {{}}\n  policyTypes: [Egress]\n  egress:\n",
                       name, annotations);
}

// Rules that match nobody here.
std::string others(int count)
{
    std::string text;
    for (int i = 0; i < count; i++)
        text += fmt::format("  - {{to: [{{podSelector: {{matchLabels: {{app: other{}}}}}}}], "
                            "ports: [{{port: {}}}]}}\n",
                            i, 10000 + i);
    return text;
}

std::string blocks(int count)
{
    std::string text = "  - to:\n";
    for (int i = 0; i < count; i++)
        text += fmt::format("    - ipBlock: {{cidr: {}.{}.{}.0/24}}\n", 100 + (i >> 16),
                            i >> 8 & 255, i & 255);
    return text + "    ports: [{port: 443}]\n";
}

std::string cluster_policy(const char* name, const char* tier, const char* action)
{
    return fmt::format("---\napiVersion: policy.networking.k8s.io/v1alpha2\n"
                       "kind: ClusterNetworkPolicy\nmetadata: {{name: {2}}}\n"
                       "spec:\n  tier: {0}\n  priority: 1\n  subject: {{namespaces: {{}}}}\n"
                       "  egress:\n  - {{action: {1}, to: [{{namespaces: {{}}}}]}}\n",
                       tier, action, name);
}

std::string policies(const Shape& shape)
{
    std::string text = head("many") + others(shape.rules - 1);
    if (shape.cidrs > 0)
        text += blocks(shape.cidrs);
    text += fmt::format("  - {{to: [{{podSelector: {{matchLabels: {{app: db}}}}}}], "
                        "ports: [{{port: {}, endPort: 65535}}]}}\n",
                        port);
    if (shape.dry_run_rules > 0)
        text += "---\n" + head("rehearsed", ", annotations: {ebpfd.io/mode: dry-run}") +
                others(shape.dry_run_rules);
    if (shape.tiers > 1)
        text +=
            cluster_policy("first", "Admin", "Pass") + cluster_policy("last", "Baseline", "Deny");
    return text;
}

Packet to_db(bool v6 = false)
{
    return v6 ? Packet{}.eth().ipv6(web_v6, db_v6) : Packet{}.eth().ipv4(web_v4, db_v4);
}

// Takes what the datapath tells, as an agent would, while a variant is measured.
class Reader {
public:
    explicit Reader(Bench& bench)
        : thread_([&bench](const std::stop_token& stop) {
              while (!stop.stop_requested()) {
                  (void)bench.events();
                  std::this_thread::sleep_for(1ms);
              }
          })
    {
    }

private:
    std::jthread thread_;
};

// A node with a policy of that shape in force, and packets of its pod to run.
class Scene {
public:
    explicit Scene(const Shape& shape) : shape_(shape), open_(shape.open_flows), new_(0)
    {
        auto options = bench_.options();
        options.capacities = {};
        options.capacities.endpoints = 8;
        bench_.reload(options);
        bench_.enforce(policies(shape));
        from_pod_ = program("from_pod");
        to_pod_ = program("to_pod");
        if (shape.observed)
            bench_.watch({.changes = 1,
                          .signs = 1,
                          .pod = 0,
                          .pad = 0,
                          .port = 0,
                          .verdicts = 0xffff,
                          .types = 0xffffffff,
                          .ifindex = 0,
                          .address = {}});
        open_flows();
    }
    const Shape& shape() const { return shape_; }

    // Absolute: what the others are over.
    double floor() const
    {
        return cost(open_.empty(), to_db().tcp(0, port, ACK).bytes(), bench_.web_ifindex());
    }
    double established(bool v6 = false) { return hot(to_db(v6).tcp(0, port, ACK).bytes()); }
    // Decided anew with each packet, which opens nothing.
    double judged(bool v6 = false) { return hot(to_db(v6).tcp(1, 0xffff, RST | ACK).bytes()); }
    double judged_by_block()
    {
        return hot(Packet{}.eth().ipv4(web_v4, "100.0.3.3").tcp(1, 443, RST | ACK).bytes());
    }
    double refused(bool v6 = false) { return hot(to_db(v6).tcp(1, 9, SYN).bytes()); }
    double established_at_random() { return shuffled(open_, to_db().tcp(0, port, ACK).bytes()); }
    double first(bool v6 = false) { return all_new(to_db(v6).tcp(0, port, SYN).bytes()); }
    double refused_first()
    {
        return all_new(Packet{}.eth().ipv4(web_v4, api_v4).tcp(0, port, SYN).bytes());
    }

private:
    ebpfd::Fd program(const char* name) const
    {
        return ebpfd::Fd(bpf_obj_get((bench_.options().bpffs + "/progs/" + name).c_str()));
    }
    // A connection lasts once its opener has confirmed the answer.
    void open(const Packet& out, const Packet& back, const Packet& confirmation) const
    {
        cost(from_pod_.get(), out.bytes(), bench_.web_ifindex(), 1);
        cost(to_pod_.get(), back.bytes(), bench_.web_ifindex(), 1);
        cost(from_pod_.get(), confirmation.bytes(), bench_.web_ifindex(), 1);
    }
    void open_flows()
    {
        const Reader reader(bench_);
        open(to_db(true).tcp(0, port, SYN),
             Packet{}.eth().ipv6(db_v6, web_v6).tcp(port, 0, SYN | ACK),
             to_db(true).tcp(0, port, ACK));
        for (uint32_t flow = 0; flow < shape_.open_flows; flow++) {
            const auto source = static_cast<uint16_t>(flow);
            const auto destination = static_cast<uint16_t>(port | flow >> 16);
            open(to_db().tcp(source, destination, SYN),
                 Packet{}.eth().ipv4(db_v4, web_v4).tcp(destination, source, SYN | ACK),
                 to_db().tcp(source, destination, ACK));
        }
        if (bench_.flows().size() != shape_.open_flows + 1)
            throw std::runtime_error("not all flows are open");
    }
    double hot(const Bytes& frame)
    {
        const Reader reader(bench_);
        return cost(from_pod_.get(), frame, bench_.web_ifindex()) -
               cost(open_.empty(), frame, bench_.web_ifindex());
    }
    double all_new(const Bytes& frame)
    {
        const double taken = shuffled(new_, frame);
        bench_.forget_unanswered();
        return taken;
    }
    double shuffled(const Traffic& traffic, const Bytes& frame)
    {
        const Reader reader(bench_);
        traffic.judge_by(traffic.empty());
        const double floor = cost(traffic.shuffle(), frame, bench_.web_ifindex());
        traffic.judge_by(from_pod_.get());
        return cost(traffic.shuffle(), frame, bench_.web_ifindex()) - floor;
    }

    Shape shape_;
    Bench bench_;
    Traffic open_;
    Traffic new_;
    ebpfd::Fd from_pod_;
    ebpfd::Fd to_pod_;
};

using Scenes = std::vector<std::unique_ptr<Scene>>;

// One scene for each shape; all stay, so that rounds can go from one to the next.
Scenes scenes(const Run& run, const std::vector<Shape>& shapes)
{
    Scenes all;
    for (const Shape& shape : shapes) {
        run.say(fmt::format("packet: {} rules, {} CIDRs, {} flows: loading", shape.rules,
                            shape.cidrs, shape.open_flows));
        all.push_back(std::make_unique<Scene>(shape));
    }
    return all;
}

struct Way {
    const char* name;
    std::function<double(Scene&)> take;
};

// How a pod's packet can fare.
const std::vector<Way> ways{
    {"established", [](Scene& scene) { return scene.established(); }},
    {"established, IPv6", [](Scene& scene) { return scene.established(true); }},
    {"judged, allowed", [](Scene& scene) { return scene.judged(); }},
    {"first, flow made", [](Scene& scene) { return scene.first(); }},
    {"refused, told once a second", [](Scene& scene) { return scene.refused(); }},
    {"refused, another flow each", [](Scene& scene) { return scene.refused_first(); }}};
// What of these IPv6 packets meet in other places than the established ones.
const std::vector<Way> ways_v6{
    {"judged, allowed", [](Scene& scene) { return scene.judged(true); }},
    {"first, flow made", [](Scene& scene) { return scene.first(true); }},
    {"refused, told once a second", [](Scene& scene) { return scene.refused(true); }}};
const Way by_block{"judged by a CIDR", [](Scene& scene) {
                       return scene.shape().cidrs > 0 ? scene.judged_by_block() : scene.judged();
                   }};
const std::vector<Way> by_flows{
    {"one flow, hot", [](Scene& scene) { return scene.established(); }},
    {"flows at random", [](Scene& scene) { return scene.established_at_random(); }}};

void compare(Run& run, const char* name, const char* size_name, const Scenes& all,
             const std::vector<Way>& how, const std::function<double(const Shape&)>& size)
{
    std::vector<Variant> variants;
    for (const Way& way : how)
        for (const auto& scene : all)
            variants.push_back({way.name, size(scene->shape()),
                                [&way, &scene] { return std::vector{way.take(*scene)}; }});
    run.measure({{.group = "packet", .name = name, .unit = over_empty, .size_name = size_name}},
                variants);
}

void compare_rules(Run& run)
{
    const Scenes all = scenes(run, {{.rules = 1}, {.rules = 10}, {.rules = 100}, {.rules = 500}});
    run.measure({{.group = "packet", .name = "the floor", .unit = "ns"}},
                {{"empty program", {}, [&] { return std::vector{all.front()->floor()}; }}});
    const auto size = [](const Shape& shape) { return shape.rules; };
    compare(run, "by rules", "rules", all, ways, size);
    compare(run, "by rules, IPv6", "rules", all, ways_v6, size);
}

void compare_blocks(Run& run)
{
    std::vector<Shape> shapes{{.cidrs = 0}, {.cidrs = 1'000}, {.cidrs = 10'000}};
    if (!run.quick())
        shapes.push_back({.cidrs = 100'000});
    auto how = ways;
    how.push_back(by_block);
    compare(run, "by CIDRs", "CIDRs", scenes(run, shapes), how,
            [](const Shape& shape) { return shape.cidrs; });
}

void compare_flows(Run& run)
{
    std::vector<Shape> shapes;
    for (const uint32_t flows : {1, 100, 10'000, 100'000})
        shapes.push_back({.rules = 500, .open_flows = flows});
    compare(run, "by open flows", "open flows", scenes(run, shapes), by_flows,
            [](const Shape& shape) { return shape.open_flows; });
}

void compare_features(Run& run)
{
    const auto size = [](bool more) { return more ? 1.0 : 0.0; };
    compare(run, "observed", "observers",
            scenes(run, {{.rules = 500}, {.rules = 500, .observed = true}}), ways,
            [&](const Shape& shape) { return size(shape.observed); });
    compare(run, "by dry-run rules", "dry-run rules", scenes(run, {{}, {.dry_run_rules = 100}}),
            ways, [](const Shape& shape) { return shape.dry_run_rules; });
    compare(run, "by tiers", "tiers", scenes(run, {{}, {.tiers = 3}}), ways,
            [](const Shape& shape) { return shape.tiers; });
}

} // namespace

void measure_packets(Run& run)
{
    compare_rules(run);
    compare_blocks(run);
    compare_flows(run);
    compare_features(run);
}

} // namespace bench
