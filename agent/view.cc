// SPDX-License-Identifier: Apache-2.0
#include "view.h"

#include <algorithm>

namespace ebpfd {

bool View::degraded() const
{
    const bool directory = std::ranges::any_of(
        directories, [](const auto& dir) { return !dir.error.empty() && !dir.tolerated; });
    return directory || !file_errors.empty() || !apply_error.empty() || !attach_warnings.empty() ||
           revision == 0;
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

} // namespace ebpfd
