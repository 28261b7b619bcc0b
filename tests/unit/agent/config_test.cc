// SPDX-License-Identifier: Apache-2.0
#include "config.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

class ConfigTest : public testing::Test {
protected:
    ConfigTest()
    {
        std::string name = (std::filesystem::temp_directory_path() / "ebpfd-conf-XXXXXX").string();
        dir_ = mkdtemp(name.data());
        file_ = dir_ + "/ebpfd.yaml";
        write(""); // so that a file of the machine never counts
    }
    ~ConfigTest() override { std::filesystem::remove_all(dir_); }

    void write(const std::string& text) { std::ofstream(file_) << text; }

    std::variant<Config, Farewell> parse(std::vector<const char*> args)
    {
        args.insert(args.begin(), {"ebpfd", "--config", file_.c_str()});
        return parse_config(static_cast<int>(args.size()), args.data());
    }
    Config config(const std::vector<const char*>& args)
    {
        auto out = parse(args);
        if (const auto* farewell = std::get_if<Farewell>(&out)) {
            ADD_FAILURE() << farewell->text;
            return {};
        }
        return std::get<Config>(out);
    }
    // The sentence of a usage error.
    std::string refusal(const std::vector<const char*>& args)
    {
        auto out = parse(args);
        const auto* farewell = std::get_if<Farewell>(&out);
        EXPECT_TRUE(farewell && farewell->exit_code == 2);
        return farewell ? farewell->text : "";
    }

    std::string dir_;
    std::string file_;
};

TEST_F(ConfigTest, HooksAreNamedOrAllOrNone)
{
    EXPECT_EQ(config({}).hooks.names, hook_names());
    EXPECT_TRUE(config({"--hooks", "none"}).hooks.names.empty());
    const Config c = config({"--hooks", "tcp_rtt,kernel_drop", "--hook-attach", "kprobe"});
    EXPECT_EQ(c.hooks.names, (std::vector<std::string>{"tcp_rtt", "kernel_drop"}));
    EXPECT_EQ(c.hooks.attach, HookAttach::kprobe);
    EXPECT_NE(refusal({"--hooks", "tcp_rtt,ftp"}).find("\"ftp\""), std::string::npos);
    EXPECT_NE(refusal({"--hook-attach", "magic"}), "");
}

TEST_F(ConfigTest, DefaultsAreThoseOfTheInterface)
{
    const Config c = config({});
    EXPECT_EQ(c.policy.paths, std::vector<std::string>{"/etc/ebpfd/policies.d"});
    EXPECT_EQ(c.inventory.paths, std::vector<std::string>{"/etc/ebpfd/inventory.d"});
    EXPECT_FALSE(c.policy.named);
    EXPECT_EQ(c.socket_path(), "/run/ebpfd/ebpfd.sock");
    EXPECT_EQ(c.bpffs, "/sys/fs/bpf/ebpfd");
    EXPECT_FALSE(c.node_name.empty());
    EXPECT_FALSE(c.audit);
    EXPECT_EQ(c.metrics, (ListenAddress{"127.0.0.1", 9464}));
    EXPECT_EQ(c.capacities.flows, Capacities{}.flows);
    EXPECT_EQ(c.history_bytes, 4u << 20);
    EXPECT_EQ(c.max_watchers, 16u);
}

TEST_F(ConfigTest, FlagsSetWhatTheySay)
{
    const Config c = config({"--policy-dir", "/a", "--policy-dir=/b/", "--mode", "audit",
                             "--pod-interfaces", "veth*,cali*", "--max-flows", "1000",
                             "--metrics-listen", "[::1]:80", "--attach", "clsact", "--detach"});
    EXPECT_EQ(c.policy.paths, (std::vector<std::string>{"/a", "/b"}));
    EXPECT_TRUE(c.policy.named);
    EXPECT_TRUE(c.audit);
    EXPECT_EQ(c.pod_interfaces, (std::vector<std::string>{"veth*", "cali*"}));
    EXPECT_EQ(c.capacities.flows, 1000u);
    EXPECT_EQ(c.metrics, (ListenAddress{"::1", 80}));
    EXPECT_EQ(c.attach, AttachMode::clsact);
    EXPECT_TRUE(c.detach);
}

TEST_F(ConfigTest, FileSetsWhatTheCommandLineLeavesOut)
{
    write("policy-dir: [/x, /y]\n"
          "inventory-dir: /z\n"
          "mode: audit\n"
          "max-rules: 77\n"
          "node-name: one\n"
          "metrics-listen: none\n"
          "detach: true\n");
    const Config c = config({"--node-name", "two"});
    EXPECT_EQ(c.policy.paths, (std::vector<std::string>{"/x", "/y"}));
    EXPECT_EQ(c.inventory.paths, std::vector<std::string>{"/z"});
    EXPECT_TRUE(c.audit);
    EXPECT_EQ(c.capacities.rules, 77u);
    EXPECT_EQ(c.node_name, "two");
    EXPECT_FALSE(c.metrics);
    EXPECT_TRUE(c.detach);
}

TEST_F(ConfigTest, FlowLogIsOffUnlessItHasAFile)
{
    EXPECT_FALSE(config({"--flow-log-files", "3"}).flow_log);
    const Config c = config({"--flow-log", "flows.jsonl"});
    ASSERT_TRUE(c.flow_log);
    EXPECT_EQ(c.flow_log->file.path, std::filesystem::current_path() / "flows.jsonl");
    EXPECT_EQ(c.flow_log->file.max_bytes, 104857600u);
    EXPECT_EQ(c.flow_log->file.kept_files, 5u);
    EXPECT_EQ(c.flow_log->queue, 16384u);
}

TEST_F(ConfigTest, FlowLogAndMetricsStandInTheFile)
{
    write("flow-log: /l/flows.jsonl\n"
          "flow-log-max-bytes: 8192\n"
          "flow-log-files: 0\n"
          "flow-log-queue: 7\n"
          "flow-log-filter: [verdict=deny, verdict=would-deny, namespace=shop]\n"
          "metrics-pods: true\n"
          "metrics-max-series: 12\n");
    const Config c = config({});
    ASSERT_TRUE(c.flow_log);
    EXPECT_EQ(c.flow_log->file.path, "/l/flows.jsonl");
    EXPECT_EQ(c.flow_log->file.max_bytes, 8192u);
    EXPECT_EQ(c.flow_log->file.kept_files, 0u);
    EXPECT_EQ(c.flow_log->queue, 7u);
    AttributedEvent record;
    record.raw.verdict = VERDICT_DENY;
    EXPECT_FALSE(c.flow_log->filter.matches(record)) << "in no namespace";
    record.pod = std::make_shared<PodName>(PodName{"shop", "web", "", nullptr});
    EXPECT_TRUE(c.flow_log->filter.matches(record));
    EXPECT_TRUE(c.metrics_pods);
    EXPECT_EQ(c.metrics_max_series, 12u);
}

TEST_F(ConfigTest, UnknownKeyIsNamedWithFileAndLine)
{
    write("# comment\nmode: audit\npolicy-dirs: /x\n");
    EXPECT_EQ(refusal({}), file_ + ":3: unknown key \"policy-dirs\"\n");
}

TEST_F(ConfigTest, WrongValueIsNamedWithFileAndLine)
{
    write("mode: audit\nmax-flows: many\n");
    EXPECT_TRUE(refusal({}).starts_with(file_ + ":2: max-flows: "));
}

TEST_F(ConfigTest, BrokenFilesAreUsageErrors)
{
    for (const char* text : {"mode: [audit", "- mode", "mode: audit\nmode: enforce\n",
                             "mode: {a: b}\n", "log-level: [info, debug]\n", "config: /x\n"}) {
        write(text);
        EXPECT_TRUE(refusal({}).starts_with(file_ + ":")) << text;
    }
    std::filesystem::remove(file_);
    EXPECT_NE(refusal({}).find("No such file"), std::string::npos);
}

TEST_F(ConfigTest, WrongFlagsAreUsageErrors)
{
    EXPECT_NE(refusal({"--polcy-dir", "/a"}).find("--polcy-dir"), std::string::npos);
    EXPECT_NE(refusal({"--mode", "strict"}).find("strict"), std::string::npos);
    EXPECT_NE(refusal({"--max-flows", "0"}).find("max-flows"), std::string::npos);
    EXPECT_NE(refusal({"--flow-ring", "5000"}).find("power of two"), std::string::npos);
    for (const char* bad : {"localhost:80", "1.2.3.4", "1.2.3.4:", "::1:80", "1.2.3.4:70000"})
        EXPECT_NE(refusal({"--metrics-listen", bad}).find("metrics-listen"), std::string::npos);
    EXPECT_NE(refusal({"--flow-log-max-bytes", "5"}).find("flow-log-max-bytes"), std::string::npos);
    for (const char* bad : {"verdict", "verdict=maybe", "colour=red"})
        EXPECT_NE(refusal({"--flow-log-filter", bad}).find("flow-log-filter"), std::string::npos);
    EXPECT_FALSE(refusal({"stray"}).empty());
}

TEST_F(ConfigTest, AFolderHasAName)
{
    for (const char* option : {"--policy-dir", "--inventory-dir", "--runtime-dir", "--bpffs"}) {
        EXPECT_NE(refusal({option, ""}).find("want the name of a folder"), std::string::npos)
            << option;
        write(std::string(option + 2) + ": \"\"\n");
        EXPECT_NE(refusal({}).find("ebpfd.yaml:1: "), std::string::npos) << option;
    }
}

TEST_F(ConfigTest, AFolderStaysRelativeWithoutAWorkingDirectory)
{
    const auto before = std::filesystem::current_path();
    const std::string gone = dir_ + "/gone";
    std::filesystem::create_directory(gone);
    std::filesystem::current_path(gone);
    std::filesystem::remove(gone);
    const Config c = config({"--policy-dir", "./policies/"});
    std::filesystem::current_path(before);
    EXPECT_EQ(c.policy.paths, std::vector<std::string>{"policies"});
}

TEST_F(ConfigTest, HelpNamesEveryOptionAndItsDefault)
{
    const auto out = std::get<Farewell>(parse({"--help"}));
    EXPECT_EQ(out.exit_code, 0);
    for (const char* text :
         {"--config", "--policy-dir", "--inventory-dir", "--runtime-dir", "--bpffs", "--node-name",
          "--mode", "--pod-interfaces", "--metrics-listen", "--log-level", "--log-format",
          "--detach", "--max-flows", "262144", "--flow-log", "104857600", "--metrics-pods",
          "/run/ebpfd", "127.0.0.1:9464"})
        EXPECT_NE(out.text.find(text), std::string::npos) << text;
}

} // namespace
} // namespace ebpfd
