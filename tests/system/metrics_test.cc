// SPDX-License-Identifier: Apache-2.0
#include "system/prometheus.h"
#include "system/world.h"

#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <regex>
#include <sstream>

namespace system_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSubsetOf;
using testing::Not;

constexpr uint16_t metrics_port = 9464;
const std::filesystem::path sources = EBPFD_SOURCES;

std::string text_of(const std::filesystem::path& file)
{
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return std::move(text).str();
}

// The queries of all panels, with Grafana's variables as it would fill them in.
std::vector<std::string> dashboard_queries()
{
    const auto dashboard = nlohmann::json::parse(text_of(sources / "deploy/grafana/ebpfd.json"));
    std::vector<std::string> out;
    for (const auto& panel : dashboard["panels"])
        for (const auto& target : panel["targets"]) {
            std::string query = target["expr"];
            for (const auto& [variable, value] :
                 {std::pair{"$__rate_interval", "1m"}, std::pair{"$instance", ".*"}})
                for (size_t at; (at = query.find(variable)) != query.npos;)
                    query.replace(at, std::string_view(variable).size(), value);
            out.push_back(query);
        }
    return out;
}

// An agent with all metrics there are, and traffic that they tell of.
class Metrics : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        world_ = World::make(Wiring::routed);
        ASSERT_NE(world_, nullptr);
        world_->describe(Inventory::of(world_->node()));
        ASSERT_TRUE(start()) << agent().process().err();
        ASSERT_EQ(world_->enforce({db_allows_80()}).exit, exit_ok);
        ASSERT_TRUE(traffic());
    }
    static void TearDownTestSuite() { world_.reset(); }

    static Agent& agent() { return world_->agent(); }
    static bool start()
    {
        return agent().start({"--metrics-listen", fmt::format("127.0.0.1:{}", metrics_port),
                              "--metrics-pods", "--flow-log", agent().root() / "flows.jsonl"});
    }
    static PolicyFile db_allows_80()
    {
        return policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: "
                                 "[{port: 80}]}]}");
    }
    static testing::AssertionResult traffic()
    {
        return world_->traffic({yes("web", "db", 80), no("scan", "db", 8080)}, Family::v4);
    }
    static std::string metrics()
    {
        return http_get(world_->node().host(), metrics_port, "/metrics");
    }
    static double value(const std::string& series)
    {
        const auto text = MetricsText::parse(metrics());
        const auto found = text.values.find(series);
        return found == text.values.end() ? -1 : found->second;
    }
    static lab::Finished promtool(const std::string& command, const std::filesystem::path& file)
    {
        return lab::run({"sh", "-c", "exec promtool " + command + " \"$0\"", file});
    }

    static std::unique_ptr<World> world_;
};
std::unique_ptr<World> Metrics::world_;

TEST_F(Metrics, PrometheusCountsWhatHappened)
{
    Prometheus prometheus(world_->node().host(), agent().root() / "prometheus", metrics_port);
    const auto becomes = [&](const std::string& query, double least) {
        return lab::eventually([&] { return prometheus.value(query).value_or(-1) >= least; },
                               std::chrono::seconds(60));
    };
    ASSERT_TRUE(becomes("up{job='ebpfd'}", 1)) << prometheus.err();
    EXPECT_TRUE(becomes("sum(ebpfd_forwarded_packets_total{reason='rule'})", 4));
    EXPECT_TRUE(becomes("ebpfd_dropped_packets_total{direction='ingress',reason='denied'}", 1));
    EXPECT_TRUE(becomes("ebpfd_policy_verdicts_total{policy='shop/db',rule='ingress[0]',"
                        "direction='ingress',verdict='allow'}",
                        1));
    EXPECT_TRUE(becomes("ebpfd_policy_verdicts_total{policy='shop/db',rule='isolation',"
                        "direction='ingress',verdict='deny'}",
                        1));
    EXPECT_TRUE(becomes("ebpfd_pod_dropped_packets_total{namespace='shop',pod='db',"
                        "direction='ingress'}",
                        1));
    EXPECT_TRUE(becomes("ebpfd_flow_log_records_total{outcome='written'}", 1));
    // Each panel has something to show, once two scrapes make a rate.
    const auto before = value("ebpfd_policy_revision");
    ASSERT_TRUE(traffic());
    EXPECT_EQ(value("ebpfd_policy_revision"), before);
    for (const auto& query : dashboard_queries()) {
        // The kernel need not have dropped anything.
        const bool may_be_empty = query.find("ebpfd_kernel_drops_total") != query.npos;
        nlohmann::json result;
        EXPECT_TRUE(lab::eventually([&] {
            result = prometheus.query(query);
            return result.is_array() && (may_be_empty || !result.empty());
        })) << query
            << ": " << result;
    }
}

TEST_F(Metrics, HealthOfConnectionsIsToldByPod)
{
    ASSERT_EQ(value("ebpfd_hook_attached{hook=\"tcp_reset_received\"}"), 1);
    // Nobody listens there, and no policy refuses it.
    const auto refused = lab::Socket::connect(world_->machine("web"), Transport::tcp,
                                              world_->address("api", Family::v4), 9999);
    ASSERT_EQ(refused.outcome(lab::patience), lab::Outcome::refused);
    ASSERT_TRUE(traffic());
    const auto open = lab::open_connection(world_->machine("web"), world_->machine("api"),
                                           Family::v4, Transport::tcp, 7002);
    ASSERT_TRUE(open);
    const std::string web = "{namespace=\"shop\",pod=\"web\"";
    const std::vector<std::string> counted{
        "tcp_failed_connects_total" + web + ",reason=\"refused\"}",
        "tcp_resets_total" + web + ",way=\"received\"}",
        "tcp_connect_seconds_count" + web + "}",
        "tcp_rtt_seconds_count" + web + "}",
    };
    for (const auto& series : counted)
        EXPECT_TRUE(lab::eventually([&] {
            // Round-trip times are sampled: one of some segments.
            return open->carries_to_server() && open->carries_to_client() &&
                   value("ebpfd_pod_" + series) >= 1;
        })) << series;
    EXPECT_GE(value("ebpfd_tcp_failed_connects_total{reason=\"refused\"}"), 1);
}

TEST_F(Metrics, EachTableThatCanBeFullHasItsGauge)
{
    for (const char* table :
         {"flows", "fragments", "endpoints", "addresses", "services", "rulesets", "peers", "cidrs",
          "ports", "rules", "health", "kernel_drops"}) {
        const auto labels = fmt::format("{{table=\"{}\"}}", table);
        EXPECT_GT(value("ebpfd_table_capacity_entries" + labels), 0) << table;
        EXPECT_LE(value("ebpfd_table_entries" + labels),
                  value("ebpfd_table_capacity_entries" + labels))
            << table;
    }
}

TEST_F(Metrics, LintIsClean)
{
    const auto file = agent().root() / "metrics.txt";
    std::ofstream(file) << metrics();
    const auto checked = promtool("check metrics <", file);
    EXPECT_EQ(checked.exit, 0);
    EXPECT_THAT(checked.out + checked.err, IsEmpty());
}

TEST_F(Metrics, DashboardAsksForWhatThereIs)
{
    const auto present = MetricsText::parse(metrics());
    const auto queries = dashboard_queries();
    EXPECT_GE(queries.size(), 20u);
    std::string rules = "groups:\n- name: dashboard\n  rules:\n";
    for (const auto& query : queries) {
        EXPECT_THAT(metric_names_in(query), Not(IsEmpty())) << query;
        for (const auto& name : metric_names_in(query))
            EXPECT_TRUE(present.knows(name)) << name << " in " << query;
        rules += fmt::format("  - record: query_{}\n    expr: {}\n", rules.size(),
                             nlohmann::json(query).dump());
    }
    const auto file = agent().root() / "dashboard.yaml";
    std::ofstream(file) << rules;
    const auto checked = promtool("check rules", file);
    EXPECT_EQ(checked.exit, 0) << checked.out << checked.err;
}

TEST_F(Metrics, AlertsFireWhenTheyShould)
{
    const auto rules = sources / "deploy/prometheus/alerts.yaml";
    const auto checked = promtool("check rules", rules);
    EXPECT_EQ(checked.exit, 0) << checked.out << checked.err;
    const auto example = promtool("check config", sources / "deploy/prometheus/prometheus.yaml");
    EXPECT_EQ(example.exit, 0) << example.out << example.err;
    const auto present = MetricsText::parse(metrics());
    for (const auto& name : metric_names_in(text_of(rules)))
        EXPECT_TRUE(present.knows(name)) << name;

    std::string cases = text_of(sources / "tests/system/alerts.yaml");
    cases.replace(cases.find("ALERTS"), 6, rules.string());
    const auto file = agent().root() / "alerts-test.yaml";
    std::ofstream(file) << cases;
    const auto tested = promtool("test rules", file);
    EXPECT_EQ(tested.exit, 0) << tested.out << tested.err;
}

// Each alert has a case in which it fires.
TEST_F(Metrics, EveryAlertIsTested)
{
    const std::string cases = text_of(sources / "tests/system/alerts.yaml");
    std::istringstream in(text_of(sources / "deploy/prometheus/alerts.yaml"));
    size_t alerts = 0;
    for (std::string line; std::getline(in, line);) {
        const size_t name = line.find("alert: ");
        if (name == line.npos)
            continue;
        alerts++;
        EXPECT_THAT(cases,
                    HasSubstr("alertname: " + line.substr(name + 7) + "\n    exp_alerts:\n"));
    }
    EXPECT_GE(alerts, 10u);
}

TEST_F(Metrics, EveryMetricIsDocumented)
{
    const std::string manual = text_of(sources / "deploy/man/ebpfd.8");
    const size_t begin = manual.find(".SH METRICS");
    ASSERT_NE(begin, manual.npos);
    const std::string section = manual.substr(begin, manual.find("\n.SH ", begin + 1) - begin);
    const auto documented =
        metric_names_in(std::regex_replace(section, std::regex("\\\\f[BR]"), " "));
    std::set<std::string> present;
    for (const auto& [name, type] : MetricsText::parse(metrics()).types)
        present.insert(name);
    EXPECT_EQ(documented, present);
    for (const auto& [name, type] : MetricsText::parse(metrics()).types)
        EXPECT_THAT(section, HasSubstr(fmt::format("\\fB{}\\fR ({}", name, type)));
}

TEST_F(Metrics, CountersOnlyRiseWhileAgentChangesPolicyAndPods)
{
    const auto counters = [] {
        std::map<std::string, double> out;
        const auto text = MetricsText::parse(metrics());
        for (const auto& [series, value] : text.values)
            if (series.substr(0, series.find('{')).ends_with("_total"))
                out[series] = value;
        return out;
    };
    auto before = counters();
    ASSERT_GT(before.size(), 50u);
    const auto check = [&] {
        const auto now = counters();
        for (const auto& [series, value] : before) {
            const auto found = now.find(series);
            EXPECT_TRUE(found == now.end() || found->second >= value) << series << " fell";
        }
        before = now;
    };
    const auto db_allows_8080 =
        policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: "
                          "[{ports: [{port: 8080}]}]}");
    Inventory inventory = Inventory::of(world_->node());
    for (int round = 0; round < 2; round++) {
        ASSERT_EQ(world_->enforce({db_allows_8080}).exit, exit_ok);
        check();
        inventory.remove("web");
        world_->describe(inventory);
        ASSERT_EQ(agent().settle().exit, exit_ok);
        check();
        const std::string web = "ebpfd_pod_forwarded_packets_total{namespace=\"shop\",pod=\"web\","
                                "direction=\"ingress\"}";
        EXPECT_EQ(value(web), -1) << "series go when the pod goes";
        inventory = Inventory::of(world_->node());
        world_->describe(inventory);
        ASSERT_EQ(world_->enforce({db_allows_80()}).exit, exit_ok);
        ASSERT_TRUE(traffic());
        check();
        EXPECT_GE(value(web), 1);
    }
}

TEST_F(Metrics, FlowLogIsReopenedOnHangup)
{
    const auto file = agent().root() / "flows.jsonl";
    ASSERT_TRUE(std::filesystem::exists(file));
    std::filesystem::rename(file, agent().root() / "flows.old");
    agent().process().signal(SIGHUP);
    EXPECT_TRUE(lab::eventually([&] { return std::filesystem::exists(file); }));
    ASSERT_TRUE(traffic());
    EXPECT_TRUE(lab::eventually(
        [&] { return text_of(file).find("\"policy\":\"shop/db\"") != std::string::npos; }));
    EXPECT_THAT(text_of(agent().root() / "flows.old"), HasSubstr("\"type\":\"drop\""));
}

} // namespace
} // namespace system_test
