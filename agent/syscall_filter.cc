// SPDX-License-Identifier: Apache-2.0
#include "syscall_filter.h"

#include "allowed_syscalls.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <linux/bpf.h>
#include <memory>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

namespace ebpfd {
namespace {

std::atomic<uint64_t> refused_count{0};
std::atomic<int> refused_last{0};

void set_return_value(void* context, long value)
{
    auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
    machine.gregs[REG_RAX] = value;
#elif defined(__aarch64__)
    machine.regs[0] = static_cast<unsigned long long>(value);
#else
#error "where does this processor keep what a system call returns?"
#endif
}

// In place of the refused call: whoever made it gets EPERM.
void note_refusal(int, siginfo_t* info, void* context)
{
    refused_last.store(info->si_syscall, std::memory_order_relaxed);
    refused_count.fetch_add(1, std::memory_order_relaxed);
    set_return_value(context, -EPERM);
}

Result<void> handle_refusals()
{
    struct sigaction action {};
    action.sa_sigaction = note_refusal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    return sigaction(SIGSYS, &action, nullptr) == 0 ? Result<void>{} : fail_errno("sigaction");
}

// The rules of one filter; the first that libseccomp refuses is kept as the error.
class Rules {
public:
    explicit Rules(scmp_filter_ctx filter) : filter_(filter) {}

    void allow(int call) { note(seccomp_rule_add(filter_, SCMP_ACT_ALLOW, call, 0)); }
    // Where the numbered argument is the value.
    void allow(int call, unsigned argument, uint64_t value)
    {
        note(seccomp_rule_add(filter_, SCMP_ACT_ALLOW, call, 1,
                              scmp_arg_cmp{argument, SCMP_CMP_EQ, value, 0}));
    }
    void allow_with_bits(int call, unsigned argument, uint64_t bits)
    {
        note(seccomp_rule_add(filter_, SCMP_ACT_ALLOW, call, 1,
                              scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, bits, bits}));
    }
    void fail_with(int call, int code)
    {
        note(seccomp_rule_add(filter_, SCMP_ACT_ERRNO(static_cast<uint32_t>(code)), call, 0));
    }
    int code() const { return code_; }

private:
    void note(int code)
    {
        if (code_ == 0)
            code_ = code;
    }
    scmp_filter_ctx filter_;
    int code_ = 0;
};

void add_rules(Rules& rules)
{
    for (const int call : allowed_syscalls())
        rules.allow(call);
    for (const uint32_t command : allowed_bpf_commands())
        rules.allow(SCMP_SYS(bpf), 0, command);
    for (const int family : {AF_NETLINK, AF_UNIX})
        rules.allow(SCMP_SYS(socket), 0, static_cast<uint64_t>(family));
    for (const int request : {SIOCGIFNAME, SIOCGIFINDEX, FIONREAD, TCGETS})
        rules.allow(SCMP_SYS(ioctl), 1, static_cast<uint64_t>(request));
    // Threads, no processes. What clone3 is asked for lies in memory that no filter sees; without
    // it libc uses clone.
    rules.fail_with(SCMP_SYS(clone3), ENOSYS);
    rules.allow_with_bits(SCMP_SYS(clone), 0, CLONE_THREAD);
    for (const int call : {SCMP_SYS(tgkill), SCMP_SYS(kill)}) // what abort() does
        rules.allow(call, 0, static_cast<uint64_t>(getpid()));
    rules.allow(SCMP_SYS(prlimit64), 2, 0); // reads limits, sets none
}

struct Release {
    void operator()(void* filter) const { seccomp_release(filter); }
};

} // namespace

Result<void> install_syscall_filter()
{
    if (auto handled = handle_refusals(); !handled)
        return handled;
    const std::unique_ptr<void, Release> filter(seccomp_init(SCMP_ACT_TRAP));
    if (!filter)
        return fail_errno("make a system call filter", ENOMEM);
    Rules rules(filter.get());
    add_rules(rules);
    int code = rules.code();
    if (code == 0)
        code = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
    if (code == 0) // a tree: some hundred comparisons in a row would cost each call
        code = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (code == 0)
        code = seccomp_load(filter.get());
    return code == 0 ? Result<void>{} : fail_errno("install the system call filter", -code);
}

RefusedCalls refused_calls()
{
    RefusedCalls out{.count = refused_count.load(std::memory_order_relaxed), .last = {}};
    if (out.count == 0)
        return out;
    const std::unique_ptr<char, decltype(&std::free)> name(
        seccomp_syscall_resolve_num_arch(seccomp_arch_native(), refused_last), &std::free);
    out.last = name ? name.get() : std::to_string(refused_last);
    return out;
}

} // namespace ebpfd
