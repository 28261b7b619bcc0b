// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"
#include "objects/decode.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace ebpfd {

// A copy of what each file last validly said, one file each in a folder of its own: an agent
// that starts while a file is broken has its text from here. Written only when there is time.
class ValidTexts {
public:
    using Key = std::pair<FolderKind, std::string>; // of folder; absolute path of the file

    // Makes the folder if it is missing. Copies that cannot be used are ignored with a warning.
    static Result<ValidTexts> open(const std::string& folder);

    // What there is a copy of, with the copy's size and hash.
    struct Copy {
        uint64_t bytes = 0;
        uint64_t hash = 0;
        bool operator==(const Copy&) const = default;
    };
    const std::map<Key, Copy>& copies() const { return copies_; }
    // Nothing if there is no copy, or none that can be used.
    std::optional<std::string> text(const Key& key);
    // A copy that turned out to be of no use.
    void ignore(const Key& key, std::string_view reason);

    // To be written by write_next().
    void keep(const Key& key, std::string text);
    void drop(const Key& key);

    // Whether write_next() has something to do. After a failure not until retry().
    bool due() const { return error_.empty() && !due_.empty(); }
    void write_next();
    void write_all();
    // All if they are few, as after a change by hand: some 20 us each. Many are for quiet moments.
    void write_few();
    void retry();

private:
    ValidTexts(std::string folder, Fd fd) : folder_(std::move(folder)), fd_(std::move(fd)) {}

    void list();
    Result<void> write(const Key& key, const std::string& text, const Copy& copy) const;

    std::string folder_;
    Fd fd_;
    std::map<Key, Copy> copies_;
    std::map<Key, std::string> due_;
    std::string error_; // of the last write
    std::string said_;  // the error that is in the log
};

} // namespace ebpfd
