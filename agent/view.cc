// SPDX-License-Identifier: Apache-2.0
#include "view.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd {

std::string DirectoryView::sentence() const
{
    const char* meaning =
        tolerated ? "it is watched for" : "what its files last said stays in force";
    return fmt::format("{} folder {} cannot be read ({}); {}", kind, path, error, meaning);
}

bool View::degraded() const
{
    const bool directory = std::ranges::any_of(
        directories, [](const auto& dir) { return !dir.error.empty() && !dir.tolerated; });
    return directory || !file_errors.empty() || !apply_error.empty() || !attach_warnings.empty() ||
           !copies_error.empty() || revision == 0;
}

std::string status_line(const View& view)
{
    if (view.revision == 0)
        return view.apply_error.empty() ? "starting"
                                        : "nothing new is in force: " + view.apply_error;
    return fmt::format("{} {} policies on {} interfaces{}",
                       view.world->audit ? "auditing" : "enforcing", view.world->policy_count(),
                       view.endpoints,
                       view.degraded() ? "; something is wrong, see ebpfctl status" : "");
}

void Noticeboard::post(View view)
{
    auto next = std::make_shared<const View>(std::move(view));
    const std::lock_guard lock(mutex_);
    view_.swap(next);
}

std::shared_ptr<const View> Noticeboard::latest() const
{
    const std::lock_guard lock(mutex_);
    return view_;
}

void Noticeboard::turn()
{
    const std::lock_guard lock(mutex_);
    turned_ = std::chrono::steady_clock::now();
}

void Noticeboard::waits_for(const std::optional<std::string>& folder)
{
    const std::lock_guard lock(mutex_);
    folder_ = folder;
}

std::optional<std::string> Noticeboard::trouble() const
{
    {
        const std::lock_guard lock(mutex_);
        if (folder_)
            return fmt::format("the agent waits for {}, whose file system does not answer: it "
                               "takes in no change; what is in force stays",
                               *folder_);
    }
    return hang();
}

std::optional<std::string> Noticeboard::hang(std::chrono::seconds longest) const
{
    const std::lock_guard lock(mutex_);
    if (!turned_)
        return std::nullopt;
    const auto silence = std::chrono::steady_clock::now() - *turned_;
    if (silence <= longest)
        return std::nullopt;
    return fmt::format("the main loop hangs, since {} s: it takes in no change (does a watched "
                       "folder's file system answer?); what is in force stays",
                       std::chrono::duration_cast<std::chrono::seconds>(silence).count());
}

} // namespace ebpfd
