// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config.h"
#include "enforcer.h"
#include "folder_vigil.h"
#include "folders.h"
#include "gatekeeper.h"
#include "homes.h"
#include "inventory/filter_watcher.h"
#include "inventory/interfaces.h"
#include "lock.h"
#include "new_lines.h"
#include "record_reader.h"
#include "servers.h"
#include "supervisor.h"
#include "wake_ups.h"

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

namespace ebpfd {

// The daemon: one main loop from folders and interfaces to packets, one thread for records,
// and the servers' threads, which see what the loop posts on the board.
class Agent {
public:
    // Loads or adopts the datapath, reads the folders and opens all that can fail at the start.
    static Result<std::unique_ptr<Agent>> start(const Config& config);
    ~Agent();

    // Until a signal ends it. The datapath stays, and enforces.
    Result<void> run();

private:
    struct Parts {
        AgentLock lock;
        Signals signals;
        InterfaceWatcher interfaces;
        FilterWatcher filters;
        Ticker ticker;
        Epoll epoll;
        Supervisor supervisor;
    };
    static Result<Parts> open_parts(const Config& config);
    Agent(const Config& config, Parts parts);

    Result<void> listen();
    void serve();
    Result<void> begin_vigil();
    void tell_of_wait(const std::optional<std::string>& folder);
    Result<void> open_folders();
    Result<void> watch_all();
    Result<void> open_datapath();
    void end_reading(const Error& why);
    void start_gatekeeper();
    void adopt_homes();
    void attach_hooks();
    void enter_sandbox() const;
    std::optional<std::chrono::milliseconds> time_to_wait();
    // Whether a signal asks for the end; a SIGHUP asks for a rescan.
    bool told_to_stop(bool& rescan);
    void round(bool rescan);
    // Takes in what is notified by now; whether something is new.
    bool take_notifications();
    bool collect_interfaces();
    Successor find_successor(uint32_t ifindex);
    World make_world(std::vector<std::string>& warnings, size_t& nodes);
    void locate(const SharedList<std::shared_ptr<const Pod>>& pods);
    Datapath::Interfaces take_bereft(bool ticked);
    std::set<uint32_t> find_lost(const Datapath::Interfaces& among);
    bool forget_gone();
    bool waits_for_folders(View& view);
    void update();
    void report(View& view);
    void tick();
    void tell_supervisor(bool reloaded);
    void report_refused_calls();
    void write_texts_while_idle();
    void post_copies_error();

    const Config config_;
    const AgentFacts facts_;
    Parts parts_;
    Observer observer_;
    Totals totals_;
    ApplyMetrics applies_;
    std::unique_ptr<FlowLog> flow_log_; // nullptr: none is wanted
    std::unique_ptr<Datapath> datapath_;
    std::unique_ptr<Gatekeeper> gatekeeper_; // none without --pod-interfaces
    std::unique_ptr<Enforcer> enforcer_;
    Noticeboard board_;
    std::unique_ptr<Folders> folders_; // nullptr until open_folders()
    const std::shared_ptr<LookedAt> looked_at_ = std::make_shared<LookedAt>();
    RescanDesk rescans_;
    View view_; // the last one posted
    Homes homes_;
    // Where the pods are, as long as neither they nor the interfaces change.
    struct {
        SharedList<std::shared_ptr<const Pod>> pods;
        SharedList<std::shared_ptr<const Pod>> present; // without those that are away
        std::vector<LocalInterface> interfaces;
        std::vector<std::string> warnings;
        bool stale = true;
    } located_;
    std::set<uint32_t> put_back_;  // interfaces that lost their programs since the last tick
    bool filters_unclear_ = false; // since then any may have lost them
    std::string interface_error_;
    bool noticed_ = false;       // something new, while the last change was on its way
    uint64_t refused_calls_ = 0; // that the log has told of
    bool trim_due_ = false;      // of memory that the last change freed
    bool sort_due_ = false;
    unsigned ticks_ = 0;
    NewLines errors_{spdlog::level::err};
    NewLines warnings_{spdlog::level::warn};
    std::unique_ptr<RecordReader> reader_;
    Servers servers_;
    std::once_flag serving_;
    std::unique_ptr<FolderVigil> vigil_;
    std::future<void> reading_; // what lies in the folders at the start
};

} // namespace ebpfd
