// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/document_files.h"

#include "source/watched_directory.h"

#include <algorithm>
#include <filesystem>

namespace ebpfd::ctl {

namespace fs = std::filesystem;

Result<std::vector<std::string>> document_files(const std::string& path)
{
    std::error_code failed;
    if (!fs::is_directory(path, failed))
        return std::vector{path};
    std::vector<std::string> files;
    for (fs::directory_iterator entry(path, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        std::error_code unknown; // a link may lead nowhere, which reading it will say
        if (is_document_name(entry->path().filename().string()) &&
            entry->symlink_status(unknown).type() != fs::file_type::directory)
            files.push_back(entry->path().string());
    }
    if (failed)
        return fail_errno("read", failed.value());
    std::ranges::sort(files);
    return files;
}

} // namespace ebpfd::ctl
