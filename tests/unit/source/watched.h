// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "source/watcher.h"

#include <chrono>
#include <gtest/gtest.h>
#include <map>
#include <poll.h>
#include <string>
#include <vector>

namespace ebpfd {

// A batch of changes as a story: path -> its text, "gone", or "error: reason".
using Batch = std::map<std::string, std::string>;

// A watcher that a test waits for as the agent does.
class Watched {
public:
    explicit Watched(std::vector<std::string> directories)
    {
        auto created = DirectoryWatcher::create(directories);
        if (!created)
            throw std::runtime_error(created.error().message);
        watcher_ = *std::move(created);
    }

    // What is there without waiting.
    Batch now(bool all = false)
    {
        const auto processed = watcher_->process();
        EXPECT_TRUE(processed.has_value()) << processed.error().message;
        Batch batch;
        for (const FileChange& change : watcher_->take_changes(all))
            batch[change.path] = change.gone   ? "gone"
                                 : change.text ? *change.text
                                               : "error: " + change.text.error().reason;
        return batch;
    }

    // The next changes; none within the deadline is a failure.
    Batch next()
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        for (;;) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            pollfd waiting{.fd = watcher_->fd(), .events = POLLIN, .revents = 0};
            if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) != 1) {
                ADD_FAILURE() << "no change within the deadline";
                return {};
            }
            if (Batch batch = now(); !batch.empty())
                return batch;
        }
    }

    // All batches, one after the other, up to the one in which that path reads that way.
    std::vector<Batch> until(const std::string& path, const std::string& text)
    {
        std::vector<Batch> batches;
        do {
            batches.push_back(next());
            if (batches.back().empty())
                return batches;
        } while (!batches.back().contains(path) || batches.back()[path] != text);
        return batches;
    }

    DirectoryState state(size_t index = 0) const { return watcher_->directories().at(index); }
    int fd() const { return watcher_->fd(); }

private:
    std::unique_ptr<DirectoryWatcher> watcher_;
};

} // namespace ebpfd
