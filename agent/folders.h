// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config.h"
#include "decode.h"
#include "objects.h"
#include "view.h"

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace ebpfd {

// All watched folders and what their files say.
class Folders {
public:
    // A folder that was named and is not there is an error; a default one may come later.
    static Result<Folders> watch(const WatchedDirs& policy, const WatchedDirs& inventory);
    Folders(Folders&&) noexcept;
    Folders& operator=(Folders&&) noexcept;
    ~Folders();

    std::vector<int> fds() const;
    // How long until a file that is being written counts as quiet; none: nobody writes.
    std::optional<std::chrono::milliseconds> timeout() const;
    // Takes in what has changed; returns whether anything has.
    bool collect();
    // Reads everything anew, files that are still being written too.
    void rescan();

    ObjectStore::InForce in_force() const { return store_.in_force(); }
    std::vector<FileError> file_errors() const { return store_.errors(); }
    std::vector<std::string> notes() const { return store_.notes(); }
    std::vector<DirectoryView> views() const;

private:
    struct Folder;
    explicit Folders(std::vector<std::unique_ptr<Folder>> folders);

    std::vector<std::unique_ptr<Folder>> folders_;
    ObjectStore store_;
};

} // namespace ebpfd
